//! What every platform must keep to, on a cluster.

use serde_json::json;

use super::{Scene, on_cluster};
use crate::refusals::conform;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: make test-cluster"]
async fn every_refused_call_ends_in_a_clean_slate_and_a_reason() {
    let scene = Scene::new(json!({})).await;
    conform(&scene.installation, Some(&scene.worker), &on_cluster()).await;
    assert_eq!(scene.cluster.objects(None).unwrap(), Vec::<String>::new());
}
