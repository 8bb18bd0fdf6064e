//! `accelbench mcp`: the catalog for agents, by the Model Context Protocol on stdin and stdout. It only reads: no tool
//! submits, changes or pays for anything.

use anyhow::Context as _;
use clap::Args;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::stdio;
use rmcp::{ServerHandler, ServiceExt as _, tool, tool_handler, tool_router};
use serde_json::{Value, json};

use crate::client::Client;
use crate::session::Session;

mod answers;
mod questions;

use questions::{CompareQuestion, CostQuestion, QueryQuestion, RecommendQuestion};

#[derive(Debug, Args)]
pub(crate) struct McpOptions {}

/// The tools.
#[derive(Debug, Clone)]
struct Catalog {
    client: Client,
}

const METHODOLOGY: &str = include_str!("mcp/methodology.md");

pub(crate) async fn mcp(session: &Session, _options: McpOptions) -> anyhow::Result<()> {
    let service = Catalog { client: session.client.clone() }.serve(stdio()).await;
    let service = service.context("the client did not open a session of the Model Context Protocol")?;
    service.waiting().await.context("the session broke off")?;
    Ok(())
}

#[tool_router]
impl Catalog {
    #[tool(
        description = "Look up current benchmark results: speed, latency and cost of models on AWS accelerated instances",
        annotations(read_only_hint = true)
    )]
    async fn query(&self, Parameters(question): Parameters<QueryQuestion>) -> CallToolResult {
        answer(answers::query(&self.client, question).await)
    }

    #[tool(
        description = "Put results side by side and say which is best and what more than chance tells apart",
        annotations(read_only_hint = true)
    )]
    async fn compare(&self, Parameters(question): Parameters<CompareQuestion>) -> CallToolResult {
        answer(answers::compare(&self.client, question).await)
    }

    #[tool(
        description = "Find the cheapest configuration that keeps latency limits at a rate of requests",
        annotations(read_only_hint = true)
    )]
    async fn recommend(&self, Parameters(question): Parameters<RecommendQuestion>) -> CallToolResult {
        answer(answers::recommend(&self.client, question).await)
    }

    #[tool(
        description = "Reckon what serving costs from a price and a throughput; asks no server",
        annotations(read_only_hint = true)
    )]
    async fn cost(&self, Parameters(question): Parameters<CostQuestion>) -> CallToolResult {
        answer(answers::cost(&question))
    }

    #[tool(
        description = "How numbers are measured, what their names mean, and what must not be said of them",
        annotations(read_only_hint = true)
    )]
    async fn methodology(&self) -> CallToolResult {
        CallToolResult::success(vec![ContentBlock::text(METHODOLOGY)])
    }
}

#[tool_handler]
impl ServerHandler for Catalog {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_instructions(
            "AccelBench tells which AWS accelerated instance should serve an open LLM, at what speed and cost. Ask \
             `methodology` before you explain numbers. Results of origin `simulated` are no measurements.",
        );
        info.server_info = Implementation::new("accelbench", env!("CARGO_PKG_VERSION"));
        info
    }
}

/// A failure is told to the agent, which can ask otherwise; it ends nothing.
fn answer(outcome: anyhow::Result<Value>) -> CallToolResult {
    match outcome {
        Ok(value) => CallToolResult::structured(value),
        Err(error) => {
            CallToolResult::structured_error(json!({"error": format!("{error:#}"), "hint": hint(&error)}))
        }
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.downcast_ref::<crate::exit::Failure>()?.hint()
}
