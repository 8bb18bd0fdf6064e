//! What is learnt from an answer in the form of EC2's API, with a size that does not exist and the memory that EC2 says of
//! trn2.

use accelbench_core::instance::InstanceType;
use chrono::NaiveDate;
use serde_json::json;

use super::{Answer, Learnt, learn};
use crate::ec2::Page as _;

const ANSWER: &str = include_str!("../../../tests/data/instance-types.xml");

fn known(name: &str, accelerator: &str, count: i32, memory_gib: f64, vcpu: i32) -> InstanceType {
    serde_json::from_value(json!({
        "instance_type": name, "family": name.split('.').next(), "accelerator_kind": "gpu",
        "accelerator_name": accelerator, "accelerator_count": count, "accelerator_memory_gib": memory_gib,
        "accelerator_bandwidth_gb_per_s": 864.0, "accelerator_bf16_tflops": 181.0, "vcpu": vcpu,
        "memory_gib": 384.0, "source": "a table",
    }))
    .unwrap()
}

fn learnt(known: &[InstanceType]) -> Learnt {
    let answer: Answer = quick_xml::de::from_str(ANSWER).unwrap();
    assert_eq!(answer.next_token(), None);
    learn(known, &answer.instance_type_set.item, "us-east-1", NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())
}

#[test]
fn a_new_size_of_a_known_family_is_added_with_the_accelerators_of_its_siblings() {
    let news = learnt(&[known("g6e.12xlarge", "L40S", 4, 44.703, 48)]).news;
    let [new] = &news[..] else { panic!("only g6e.32xlarge is new: {news:?}") };
    assert_eq!(
        (new.instance_type.as_str(), new.accelerator_count, new.vcpu),
        ("g6e.32xlarge", Some(6), Some(128))
    );
    assert_eq!((new.memory_gib, new.accelerator_memory_gib), (Some(1024.0), Some(44.703)));
    assert_eq!(new.accelerator_bandwidth_gb_per_s, Some(864.0));
    assert!(new.source.contains("as of g6e.12xlarge"), "{}", new.source);
}

#[test]
fn what_ec2_says_of_a_host_replaces_what_is_known_and_of_accelerators_it_does_not() {
    let mut told = learnt(&[known("g6e.12xlarge", "L40S", 1, 24.0, 32)]);
    let twelve = told.news.remove(0);
    assert_eq!((twelve.vcpu, twelve.accelerator_count), (Some(48), Some(1)));
    assert_eq!(
        twelve.source,
        "vCPU and memory from EC2 (DescribeInstanceTypes) in us-east-1, 2026-11-24; the rest from a table"
    );
    let [contradiction] = &told.contradictions[..] else { panic!("{told:?}") };
    assert!(contradiction.contains("4 x L40S of 44.7 GiB; 1 of 24.0 GiB are known"), "{contradiction}");
    let again = learnt(&[InstanceType { vcpu: Some(1), ..twelve }]);
    assert_eq!(again.news[0].source.matches("the rest from").count(), 1, "sources do not pile up");
}

#[test]
fn the_memory_that_ec2_says_of_trn2_is_a_contradiction() {
    let told = learnt(&[known("trn2.48xlarge", "Trainium2", 16, 96.0, 192)]);
    assert!(
        told.contradictions[0].contains("16 x Trainium2 of 512.0 GiB; 16 of 96.0 GiB are known"),
        "{told:?}"
    );
    assert!(told.news.iter().all(|new| new.accelerator_memory_gib == Some(96.0)), "{told:?}");
}
