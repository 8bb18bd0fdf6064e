//! Whether a name is known to the server, and which known one is near where it is not.

use crate::client::Client;
use crate::exit::Failure;
use crate::suggestion::nearest;

/// Fails for a model that the server does not know.
pub(crate) async fn model(client: &Client, id: &str) -> anyhow::Result<()> {
    let Err(error) = client.model(id).await else { return Ok(()) };
    if !matches!(error.downcast_ref::<Failure>(), Some(Failure::NotFound { .. })) {
        return Err(error);
    }
    let known = client.models("").await?;
    Err(Failure::NotFound {
        message: format!("there is no model `{id}`"),
        hint: nearest(id, known.iter().map(|model| model.model.as_str()))
            .or_else(|| Some(format!("add it with `accelbench models add {id}`"))),
    }
    .into())
}

/// Fails for an instance type that the server does not know.
pub(crate) async fn instance(client: &Client, name: &str) -> anyhow::Result<()> {
    let known = client.instances().await?;
    if known.iter().any(|it| it.instance_type.as_str() == name) {
        return Ok(());
    }
    Err(Failure::NotFound {
        message: format!("there is no instance type `{name}`"),
        hint: nearest(name, known.iter().map(|it| it.instance_type.as_str()))
            .or_else(|| Some("`accelbench instances list` has them all".to_owned())),
    }
    .into())
}
