//! `accelbench instances`: instance types and what they carry.

use clap::{Args, Subcommand};

use crate::completer;
use crate::exit::Failure;
use crate::session::Session;
use crate::suggestion::nearest;
use crate::tables::reference;

#[derive(Debug, Args)]
pub(crate) struct InstancesOptions {
    #[command(subcommand)]
    command: InstancesCommand,
}

#[derive(Debug, Subcommand)]
enum InstancesCommand {
    /// List instance types
    List {
        /// Those of this family, for instance g6e
        #[arg(long)]
        family: Option<String>,
        /// Those with this accelerator, for instance L40S
        #[arg(long)]
        accelerator: Option<String>,
    },
    /// Show what is known of an instance type
    Show {
        /// The instance type
        #[arg(add = completer::instances())]
        instance: String,
    },
}

pub(crate) async fn instances(session: &Session, options: InstancesOptions) -> anyhow::Result<()> {
    let known = session.client.instances().await?;
    match options.command {
        InstancesCommand::List { family, accelerator } => {
            let is_wanted =
                |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
            let mut known = known;
            known.retain(|it| {
                is_wanted(&family, Some(&it.family))
                    && is_wanted(&accelerator, it.accelerator_name.as_deref())
            });
            session.output.show(&known, || reference::instances(&known))
        }
        InstancesCommand::Show { instance } => {
            let found = known.iter().find(|it| it.instance_type.as_str() == instance);
            let found = found.ok_or_else(|| Failure::NotFound {
                message: format!("there is no instance type `{instance}`"),
                hint: nearest(&instance, known.iter().map(|it| it.instance_type.as_str()))
                    .or_else(|| Some("`accelbench instances list` has them all".to_owned())),
            })?;
            let facts = serde_json::to_value(found)?;
            session.output.show(&facts, || reference::facts(&facts))
        }
    }
}
