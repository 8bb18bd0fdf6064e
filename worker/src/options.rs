//! The worker's configuration: each field is a flag and an environment variable, and its sentence is the manual.

use std::fs;
use std::path::PathBuf;

use accelbench_core::engine::EngineName;
use accelbench_core::price::DEFAULT_REGION;
use accelbench_core::secret::HfToken;
use accelbench_hub::HubOptions;
use clap::Args;
use url::Url;

/// How a worker works.
#[derive(Debug, Clone, Args)]
pub struct WorkerOptions {
    /// Address of the API as load generators reach it
    #[arg(long, env = "ACCELBENCH_API_URL", default_value = "http://127.0.0.1:8080")]
    pub api_url: Url,

    /// Folder for the processes of local runs; workers of one machine share it
    #[arg(long, env = "ACCELBENCH_STATE_DIR", value_name = "FOLDER")]
    pub state_dir: PathBuf,

    /// How many runs this worker looks at at once
    #[arg(long, env = "ACCELBENCH_WORKER_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,

    /// An engine that local runs may name: its name and the command that starts it, with {host}, {port}, {model},
    /// {revision} and {`tensor_parallel`} filled in; may be given several times
    #[arg(long = "engine", env = "ACCELBENCH_ENGINES", value_name = "NAME=COMMAND", value_delimiter = '\n', value_parser = parse_engine)]
    pub engines: Vec<OfferedCommand>,

    /// A cluster for runs on Kubernetes: a JSON file with our image and, where they differ from the charts, namespace, node
    /// pools and peers. The cluster is the one this process runs in, or else the kubeconfig's
    #[arg(long, env = "ACCELBENCH_KUBERNETES", value_name = "FILE")]
    pub kubernetes: Option<PathBuf>,

    /// Which prices are asked for
    #[command(flatten)]
    pub prices: PriceOptions,

    /// How the catalog is kept fresh
    #[command(flatten)]
    pub catalog: CatalogOptions,

    /// Which Hub tells the newest commits of the catalog's models
    #[command(flatten)]
    pub hub: HubOptions,

    /// The accelbench program that local runs start as simulator and load generator [default: this one]
    #[arg(long, env = "ACCELBENCH_PROGRAM", hide = true)]
    pub program: Option<PathBuf>,
}

/// Which prices are asked of AWS.
#[derive(Debug, Clone, Default, Args)]
pub struct PriceOptions {
    /// Regions whose prices are asked of AWS once a day, with the AWS credentials of this process; may be given several
    /// times
    #[arg(
        id = "price-region",
        long = "price-region",
        env = "ACCELBENCH_PRICE_REGIONS",
        value_name = "REGION",
        value_delimiter = ','
    )]
    pub regions: Vec<String>,

    /// Another address of the AWS pricing service
    #[arg(
        id = "pricing-endpoint",
        long = "pricing-endpoint",
        env = "ACCELBENCH_PRICING_ENDPOINT",
        value_name = "URL",
        hide = true
    )]
    pub endpoint: Option<String>,
}

/// How the catalog is kept fresh.
#[derive(Debug, Clone, Args)]
pub struct CatalogOptions {
    /// What keeping the catalog fresh may cost in seven days, in US dollars; without it, it is not kept fresh. See
    /// `accelbench catalog refresh --dry-run` for what it would take
    #[arg(long = "catalog-budget-usd", env = "ACCELBENCH_CATALOG_BUDGET_USD", value_name = "USD", value_parser = parse_budget)]
    pub budget_usd: Option<f64>,

    /// The region whose on-demand prices the budget is reckoned with
    #[arg(id = "catalog-region", long = "catalog-region", env = "ACCELBENCH_CATALOG_REGION", value_name = "REGION", default_value = DEFAULT_REGION)]
    pub region: String,

    /// A file that holds the Hugging Face token with which the catalog's gated models are downloaded
    #[arg(
        long = "catalog-hf-token-file",
        env = "ACCELBENCH_CATALOG_HF_TOKEN_FILE",
        value_name = "FILE",
        value_parser = read_token
    )]
    pub hf_token: Option<HfToken>,
}

impl Default for CatalogOptions {
    /// The catalog is not kept fresh.
    fn default() -> Self {
        Self { budget_usd: None, region: DEFAULT_REGION.to_owned(), hf_token: None }
    }
}

fn parse_budget(text: &str) -> Result<f64, String> {
    let usd: Option<f64> = text.parse().ok().filter(|usd: &f64| usd.is_finite() && *usd >= 0.0);
    usd.ok_or_else(|| format!("`{text}` is no budget; give US dollars, for instance 500"))
}

fn read_token(file: &str) -> Result<HfToken, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
    HfToken::new(&text).map_err(|error| error.to_string())
}

/// A named engine command of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedCommand {
    /// The name that requests use.
    pub engine: EngineName,
    /// Program and arguments, with placeholders.
    pub command: Vec<String>,
}

/// Reads `NAME=COMMAND` as it is given on the command line.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_engine(text: &str) -> Result<OfferedCommand, String> {
    let (name, command) = text.split_once('=').ok_or_else(|| {
        format!("`{text}` has no `=`; give NAME=COMMAND, for instance 'llama=llama-server --port {{port}}'")
    })?;
    let engine: EngineName = name.trim().parse().map_err(|error| format!("{error}"))?;
    if engine.is_simulator() {
        return Err("`simulator` is built in; give the engine another name".to_owned());
    }
    let command = split_command(command)?;
    if !command.iter().any(|part| part.contains("{port}")) {
        return Err(format!(
            "the command of `{engine}` has no {{port}}; the engine must listen on the port it is given"
        ));
    }
    Ok(OfferedCommand { engine, command })
}

/// Splits a command at spaces; single and double quotes hold a part together.
fn split_command(text: &str) -> Result<Vec<String>, String> {
    let (mut parts, mut part, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => (quote, begun) = (Some(letter), true),
            (None, space) if space.is_whitespace() => {
                if begun {
                    parts.push(std::mem::take(&mut part));
                    begun = false;
                }
            }
            (_, letter) => {
                part.push(letter);
                begun = true;
            }
        }
    }
    if quote.is_some() {
        return Err(format!("a quote is not closed in `{text}`"));
    }
    if begun {
        parts.push(part);
    }
    if parts.is_empty() { Err("the command is empty".to_owned()) } else { Ok(parts) }
}

#[cfg(test)]
mod tests {
    use super::{parse_engine, split_command};

    #[test]
    fn commands_are_split_like_in_a_shell() {
        let parts = split_command(r#"python3 -c 'print("a b")' --port {port} """#).unwrap();
        assert_eq!(parts, ["python3", "-c", r#"print("a b")"#, "--port", "{port}", ""]);
        assert!(split_command("a 'b").is_err());
        assert!(split_command("  ").is_err());
    }

    #[test]
    fn engines_need_a_name_of_their_own_and_a_port() {
        assert!(parse_engine("llama=llama-server --port {port}").is_ok());
        for bad in ["llama", "Llama=x {port}", "simulator=x {port}", "llama=llama-server", "llama="] {
            assert!(parse_engine(bad).is_err(), "{bad}");
        }
    }
}
