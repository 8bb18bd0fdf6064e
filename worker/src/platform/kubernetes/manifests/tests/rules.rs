//! What must hold for every object of every run.

use serde_json::{Value, json};

use super::scenarios::{HF_TOKEN, RUN_TOKEN, run_id, scenarios};
use crate::platform::kubernetes::manifests::Manifest;
use crate::platform::kubernetes::names;

/// Every manifest of every scenario, with where it is from.
fn all() -> impl Iterator<Item = (String, Manifest)> {
    scenarios().into_iter().flat_map(|scenario| {
        let place = move |manifest: &Manifest| format!("{manifest:?} of {}", scenario.name);
        scenario.manifests.into_iter().map(move |manifest| (place(&manifest), manifest))
    })
}

/// The specs of all pods, with where they are from.
fn pods() -> impl Iterator<Item = (String, Value)> {
    let pod = |manifest: &Manifest| manifest.to_value().pointer("/spec/template").cloned();
    all().filter_map(move |(place, manifest)| Some((place, pod(&manifest)?)))
}

/// Every value at every depth, with its key.
fn walk(key: &str, value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(key, value);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(key, value, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(key, item, visit)),
        _ => {}
    }
}

#[test]
fn every_object_is_the_lease_or_ends_with_it() {
    for (place, manifest) in all() {
        let owner = manifest.to_value()["metadata"]["ownerReferences"].clone();
        let expected = match manifest {
            Manifest::Lease(_) => Value::Null,
            _ => json!([{
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "name": names::lease(run_id()),
                "uid": "8f14e45f-ceea-467f-a0e6-1c5a2b3d4e5f", "blockOwnerDeletion": true,
            }]),
        };
        assert_eq!(owner, expected, "{place}");
    }
}

#[test]
fn every_object_and_pod_says_whose_it_is() {
    let labelled = |place: &str, metadata: &Value| {
        assert_eq!(metadata["labels"]["accelbench.dev/run-id"], run_id().to_string(), "{place}");
        for label in ["name", "instance", "component", "part-of", "managed-by"] {
            assert!(metadata["labels"][format!("app.kubernetes.io/{label}")].is_string(), "{place}: {label}");
        }
    };
    all().for_each(|(place, manifest)| labelled(&place, &manifest.to_value()["metadata"]));
    pods().for_each(|(place, pod)| labelled(&place, &pod["metadata"]));
}

#[test]
fn names_are_unique_within_a_kind() {
    for scenario in scenarios() {
        let names: Vec<_> = scenario.manifests.iter().map(|manifest| format!("{manifest:?}")).collect();
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{names:?}");
    }
}

#[test]
fn secrets_are_in_secrets_alone_and_nowhere_for_people() {
    for (place, manifest) in all() {
        let shown = manifest.elided().to_string() + &format!("{manifest:?}");
        let applied = manifest.to_value().to_string();
        for secret in [HF_TOKEN, RUN_TOKEN] {
            let encoded = serde_json::to_value(k8s_openapi::ByteString(secret.as_bytes().to_vec())).unwrap();
            for form in [secret, encoded.as_str().unwrap()] {
                assert!(!shown.contains(form), "{place}");
                assert!(matches!(manifest, Manifest::Secret(_)) || !applied.contains(form), "{place}");
            }
        }
    }
}

#[test]
fn ports_name_their_protocol_and_quantities_are_texts() {
    for (place, manifest) in all() {
        walk("", &manifest.to_value(), &mut |key, value| {
            if key == "ports" && value.is_object() {
                assert!(value["protocol"].is_string(), "{place}: {value}");
            }
            if let ("requests" | "limits", Some(quantities)) = (key, value.as_object()) {
                assert!(quantities.values().all(Value::is_string), "{place}: {value}");
            }
            assert!(key != "sizeLimit" || value.is_string(), "{place}: {value}");
        });
    }
}

#[test]
fn pods_are_left_alone_and_know_nothing_of_the_cluster() {
    for (place, pod) in pods() {
        let spec = &pod["spec"];
        assert_eq!(pod["metadata"]["annotations"]["karpenter.sh/do-not-disrupt"], "7200s", "{place}");
        assert_eq!(spec["enableServiceLinks"], false, "{place}");
        assert_eq!(spec["automountServiceAccountToken"], false, "{place}");
        assert_eq!(spec["terminationGracePeriodSeconds"], 10, "{place}");
        let security = &spec["containers"][0]["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false, "{place}");
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{place}");
        assert!(!spec["containers"][0]["image"].as_str().unwrap().ends_with(":latest"), "{place}");
    }
}

#[test]
fn accelerated_engines_take_the_whole_of_the_exact_instance_type() {
    for scenario in scenarios().into_iter().filter(|scenario| scenario.name != "simulator") {
        let deployment = scenario.manifests.iter().find(|manifest| manifest.kind() == "Deployment").unwrap();
        let pod = deployment.to_value()["spec"]["template"]["spec"].clone();
        let resources = &pod["containers"][0]["resources"];
        let instance_type = pod["nodeSelector"]["node.kubernetes.io/instance-type"].as_str().unwrap();
        let (resource, count) = match instance_type {
            "g6e.xlarge" => ("nvidia.com/gpu", "1"),
            "p5.48xlarge" => ("nvidia.com/gpu", "8"),
            "trn2.48xlarge" => ("aws.amazon.com/neuron", "16"),
            "inf2.48xlarge" => ("aws.amazon.com/neuron", "12"),
            other => panic!("{other}"),
        };
        assert_eq!(resources["requests"][resource], count, "{instance_type}");
        assert_eq!(resources["limits"][resource], count, "{instance_type}");
        let tolerated: Vec<_> =
            pod["tolerations"].as_array().unwrap().iter().map(|toleration| &toleration["key"]).collect();
        assert!(
            tolerated.contains(&&json!(resource)) && tolerated.contains(&&json!("accelbench.dev/dedicated"))
        );
        assert_eq!(deployment.to_value()["spec"]["strategy"], json!({"type": "Recreate"}));
    }
}

#[test]
fn the_simulator_runs_where_there_are_no_accelerators() {
    let (_, pod) =
        pods().find(|(place, _)| place.contains("Deployment") && place.ends_with("simulator")).unwrap();
    let text = pod.to_string();
    assert!(
        !text.contains("nvidia") && !text.contains("neuron") && !text.contains("instance-type"),
        "{text}"
    );
}
