//! Instance types and their accelerators.

use accelbench_core::instance::InstanceTypeName;
use accelbench_store::{Error, instances};
use serde_json::json;

use crate::builders::{Store, constraint, instance};

#[tokio::test]
async fn newer_facts_take_the_place_of_older_ones() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let better = instance(&json!({"accelerator_memory_gib": 44.7, "vcpu": 4, "source": "data sheet"}));
    instances::upsert(&mut connection, &better).await.unwrap();
    assert_eq!(instances::find(&mut connection, &better.instance_type).await.unwrap(), better);
    assert_eq!(instances::names(&mut connection).await.unwrap(), ["external", "g6e.xlarge", "local"]);
}

#[tokio::test]
async fn sizes_stand_in_order_within_their_family() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    for (name, vcpu) in [("g6e.48xlarge", 192), ("g6e.2xlarge", 8), ("g6e.xlarge", 4)] {
        let size = instance(&json!({"instance_type": name, "vcpu": vcpu}));
        instances::upsert(&mut connection, &size).await.unwrap();
    }
    let listed = instances::list(&mut connection).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|instance| instance.instance_type.as_str()).collect();
    assert_eq!(names, ["external", "g6e.xlarge", "g6e.2xlarge", "g6e.48xlarge", "local"]);
}

#[tokio::test]
async fn an_unknown_instance_type_is_not_found() {
    let store = Store::new().await;
    let name: InstanceTypeName = "p9.xlarge".parse().unwrap();
    let outcome = instances::find(&mut *store.connection().await, &name).await;
    assert!(matches!(outcome, Err(Error::NotFound { what: "instance type", .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_accelerator_of_a_known_kind_is_named_and_counted() {
    let store = Store::new().await;
    for (changes, expected) in [
        (json!({"accelerator_name": null}), "instance_types_check"),
        (json!({"accelerator_count": null}), "instance_types_check"),
        (json!({"accelerator_count": 0}), "instance_types_accelerator_count_check"),
        (json!({"accelerator_memory_gib": 0.0}), "instance_types_accelerator_memory_gib_check"),
    ] {
        let refused = instances::upsert(&mut *store.connection().await, &instance(&changes)).await;
        assert_eq!(constraint(refused), expected, "{changes}");
    }
}
