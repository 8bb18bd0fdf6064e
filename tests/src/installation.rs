//! A whole installation for one test: a database of its own, the built program as server and workers, and a folder for
//! local processes. Dropping it ends every process that it or its runs started.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use accelbench_core::engine::EngineName;
use accelbench_core::run::{Run, RunEvent};
use accelbench_hub::HubOptions;
use accelbench_store::engines;
use accelbench_store::secrets::SecretKey;
use accelbench_worker::{CatalogOptions, Worker, WorkerOptions};
use anyhow::{Context as _, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};
use tempfile::TempDir;

use crate::cluster::WorkerCluster;
use crate::database::TestDatabase;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(4);

/// A server with as many workers as a test starts.
pub struct Installation {
    /// The database, for looking behind the scenes.
    pub database: TestDatabase,
    /// Root of the server's address.
    pub url: String,
    secret_key: SecretKey,
    /// Where server and workers reach the database.
    database_url: String,
    folder: TempDir,
    servers: Vec<Server>,
    workers: Vec<Child>,
    http: reqwest::Client,
}

/// A server and how it was started.
struct Server {
    child: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Installation {
    /// Starts a server on a new database with the reference data; no worker yet.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let database = TestDatabase::create().await?;
        let url = database.url.clone();
        Self::start_on(database, url).await
    }

    /// Starts a server that asks the Hugging Face Hub at this address; all others ask none.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_hub(hub_url: &str) -> anyhow::Result<Self> {
        let database = TestDatabase::create().await?;
        let url = database.url.clone();
        Self::start_serving(database, url, &["--hub-url", hub_url]).await
    }

    /// Starts a server that reaches `database` by `database_url`, for instance through something that can be cut.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_on(database: TestDatabase, database_url: String) -> anyhow::Result<Self> {
        Self::start_serving(database, database_url, &["--offline"]).await
    }

    /// Starts a server with more arguments than others have.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_arguments(
        database: TestDatabase,
        database_url: String,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_serving(database, database_url, &[&["--offline"], arguments].concat()).await
    }

    async fn start_serving(
        database: TestDatabase,
        database_url: String,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        accelbench_store::seed::seed(&database.pool).await?;
        let mut installation = Self {
            database,
            url: String::new(),
            secret_key: SecretKey::generate(),
            database_url,
            folder: tempfile::tempdir()?,
            servers: Vec::new(),
            workers: Vec::new(),
            http: reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build()?,
        };
        installation.url = installation.start_server(arguments)?;
        installation
            .until("the server is ready", async || Ok(installation.get("/readyz").await.is_ok()))
            .await?;
        Ok(installation)
    }

    /// Starts one more server on the same database; returns its address at once.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_server(&mut self, arguments: &[&str]) -> anyhow::Result<String> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let child = self.spawn_server(port, &arguments)?;
        self.servers.push(Server { child, port, arguments });
        Ok(format!("http://127.0.0.1:{port}"))
    }

    /// Kills a server, without a chance to say goodbye, and starts it again at the same address.
    ///
    /// # Errors
    /// When there is none of this number, or it cannot be started.
    pub fn restart_server(&mut self, number: usize) -> anyhow::Result<()> {
        let old = self.servers.get_mut(number).context("there is no such server")?;
        old.child.kill()?;
        old.child.wait()?;
        let (port, arguments) = (old.port, old.arguments.clone());
        let child = self.spawn_server(port, &arguments)?;
        if let Some(server) = self.servers.get_mut(number) {
            server.child = child;
        }
        Ok(())
    }

    fn spawn_server(&self, port: u16, arguments: &[String]) -> anyhow::Result<Child> {
        let server = program(&self.folder, "server")?
            .args(["serve", "--max-dataset-mib", "1", "--bind", &format!("127.0.0.1:{port}")])
            .args(["--metrics-bind", "127.0.0.1:0"])
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .env("ACCELBENCH_SECRET_KEY", self.secret_key.to_text())
            .spawn()?;
        Ok(server)
    }

    /// Starts a worker that also offers `engines` (`NAME=COMMAND`); returns its process id.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_worker(&mut self, engines: &[&str]) -> anyhow::Result<Pid> {
        self.start_worker_in(engines, &[])
    }

    /// Starts a worker with more in its environment; returns its process id.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_worker_in(&mut self, engines: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Pid> {
        let mut command = program(&self.folder, "worker")?;
        command.args(["worker", "--api-url", &self.url, "--metrics-bind", "127.0.0.1:0", "--state-dir"]);
        command.arg(self.state_folder());
        command.envs(environment.iter().copied());
        for engine in engines {
            command.args(["--engine", engine]);
        }
        let worker = command
            .env("DATABASE_URL", &self.database_url)
            .env("ACCELBENCH_SECRET_KEY", self.secret_key.to_text())
            .spawn()?;
        let pid = Pid::from_raw(worker.id().cast_signed());
        self.workers.push(worker);
        Ok(pid)
    }

    /// Starts a worker that has a cluster; returns its process id.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_cluster_worker(&mut self, cluster: &WorkerCluster) -> anyhow::Result<Pid> {
        let worker = program(&self.folder, "worker")?
            .args(["worker", "--api-url", &cluster.api_url, "--state-dir"])
            .arg(self.folder.path().join("state"))
            .arg("--kubernetes")
            .arg(&cluster.settings)
            .env("KUBECONFIG", &cluster.kubeconfig)
            .env("DATABASE_URL", &self.database_url)
            .env("ACCELBENCH_SECRET_KEY", self.secret_key.to_text())
            .spawn()?;
        let pid = Pid::from_raw(worker.id().cast_signed());
        self.workers.push(worker);
        Ok(pid)
    }

    /// Kills a worker of this process id, without a chance to say goodbye, and waits until it is gone.
    ///
    /// # Errors
    /// When there is none, or it cannot be killed.
    pub fn kill_worker(&mut self, pid: Pid) -> anyhow::Result<()> {
        let place = self.workers.iter().position(|worker| worker.id().cast_signed() == pid.as_raw());
        let place = place.with_context(|| format!("no worker has the pid {pid}"))?;
        self.workers[place].kill()?;
        self.workers.remove(place).wait()?;
        Ok(())
    }

    /// Where workers keep what local runs write.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The server's process id; of several, the first one's.
    ///
    /// # Panics
    /// Never: an installation begins with a server.
    #[must_use]
    pub fn server(&self) -> Pid {
        Pid::from_raw(self.servers[0].child.id().cast_signed())
    }

    /// The process ids of all servers.
    #[must_use]
    pub fn servers(&self) -> Vec<Pid> {
        self.servers.iter().map(|server| Pid::from_raw(server.child.id().cast_signed())).collect()
    }

    /// The port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
    }

    /// A worker in this process, whose platforms a test may wrap, with what it needs to be run. On a cluster it has the
    /// rights of this process.
    ///
    /// # Errors
    /// When its state folder cannot be made, or the cluster is not there.
    pub async fn worker_in_process(
        &self,
        cluster: Option<&WorkerCluster>,
    ) -> anyhow::Result<(Worker, WorkerOptions)> {
        let options = WorkerOptions {
            api_url: cluster.map_or(&self.url, |cluster| &cluster.api_url).parse()?,
            state_dir: self.folder.path().join("state"),
            concurrency: 32,
            engines: Vec::new(),
            kubernetes: cluster.map(|cluster| cluster.settings.clone()),
            price_regions: Vec::new(),
            catalog: CatalogOptions::default(),
            hub: HubOptions::offline(),
            pricing_endpoint: None,
            program: Some(Self::program()?),
        };
        let worker = Worker::new(&options, self.database.pool.clone(), self.secret_key.clone()).await?;
        Ok((worker, options))
    }

    /// Offers the simulator as a worker would, so that runs can be submitted before any worker starts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn offer_simulator(&self) -> anyhow::Result<()> {
        let command = ["accelbench".to_owned(), "simulate".to_owned()];
        let mut connection = self.database.pool.acquire().await?;
        Ok(engines::offer(&mut connection, &EngineName::simulator(), &command).await?)
    }

    /// All that server and workers have logged.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn logs(&self) -> anyhow::Result<String> {
        let mut logs = String::new();
        for name in ["server.log", "worker.log"] {
            logs +=
                &fs::read_to_string(self.folder.path().join(name)).or_else(|error| match error.kind() {
                    ErrorKind::NotFound => Ok(String::new()),
                    _ => Err(error),
                })?;
        }
        Ok(logs)
    }

    /// The folders that runs have on this machine now.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn run_folders(&self) -> anyhow::Result<Vec<String>> {
        let folders = fs::read_dir(self.state_folder().join("runs"))?;
        folders.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// The path of the built program, for engine commands.
    ///
    /// # Errors
    /// When it was not built.
    pub fn program() -> anyhow::Result<PathBuf> {
        let exe = std::env::current_exe()?;
        let found = exe
            .ancestors()
            .skip(1)
            .take(3)
            .map(|folder| folder.join("accelbench"))
            .find(|path| path.is_file());
        found.context("the program is not built; build it with `cargo build --workspace --bins`")
    }

    /// Where the `server` or the first `worker` shows its metrics: the system chose the port, its log says which.
    ///
    /// # Errors
    /// When the log does not say so in time.
    pub async fn metrics_url(&self, part: &str) -> anyhow::Result<String> {
        let log = self.folder.path().join(format!("{part}.log"));
        let told = || -> Option<String> {
            let text = fs::read_to_string(&log).ok()?;
            let line = text.lines().find(|line| line.contains("metrics are shown"))?;
            let line: Value = serde_json::from_str(line).ok()?;
            Some(format!("http://{}", line["address"].as_str()?))
        };
        self.until("metrics are shown", async || Ok(told().is_some())).await?;
        told().context("the log was there a moment ago")
    }

    /// Posts JSON and gives status and answer.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await?;
        let status = response.status();
        Ok((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// Gets a JSON answer. A server that says that its database is too slow is asked again, a few times.
    ///
    /// # Errors
    /// When the server does not answer with success.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let ask = async || self.http.get(format!("{}{path}", self.url)).send().await;
        let mut response = ask().await?;
        for _ in 0..10 {
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            response = ask().await?;
        }
        let response = response.error_for_status()?;
        let text = response.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Submits a request and gives the run's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn submit(&self, request: &Value) -> anyhow::Result<String> {
        // A worker tells which engines it offers a moment after its start.
        let engine = request["platform"]["engine"].as_str().unwrap_or_default();
        self.until("the engine is offered", async || {
            Ok(self.get("/api/v1/engines").await?["engines"].to_string().contains(engine))
        })
        .await?;
        let (status, answer) = self.post("/api/v1/runs", request).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
        Ok(answer["id"].as_str().context("the answer has no id")?.to_owned())
    }

    /// The run as the API shows it.
    ///
    /// # Errors
    /// When the server does not show it.
    pub async fn run(&self, run_id: &str) -> anyhow::Result<Run> {
        Ok(serde_json::from_value(self.get(&format!("/api/v1/runs/{run_id}")).await?)?)
    }

    /// The run's timeline.
    ///
    /// # Errors
    /// When the server does not show it.
    pub async fn events(&self, run_id: &str) -> anyhow::Result<Vec<RunEvent>> {
        let mut answer = self.get(&format!("/api/v1/runs/{run_id}/events")).await?;
        Ok(serde_json::from_value(answer["events"].take())?)
    }

    /// Waits until the run is in `phase` or beyond it.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn reach(&self, run_id: &str, phase: &str) -> anyhow::Result<()> {
        let phases =
            ["queued", "deploying", "awaiting_ready", "loading", "recording", "tearing_down", "finished"];
        let position = |name: &str| phases.iter().position(|&phase| phase == name);
        self.until(phase, async || Ok(position(self.run(run_id).await?.phase.as_str()) >= position(phase)))
            .await
    }

    /// Waits until the run is finished, and gives it.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn finish(&self, run_id: &str) -> anyhow::Result<Run> {
        self.reach(run_id, "finished").await?;
        self.run(run_id).await
    }

    /// The results of a run.
    ///
    /// # Errors
    /// When the server does not show them.
    pub async fn results(&self, run_id: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.get(&format!("/api/v1/runs/{run_id}/results")).await?;
        Ok(answer["results"].as_array().cloned().unwrap_or_default())
    }

    /// The living processes that were started for runs of this installation.
    ///
    /// # Errors
    /// When processes cannot be listed.
    pub fn run_processes(&self) -> anyhow::Result<Vec<i32>> {
        let mark =
            format!("ACCELBENCH_MARK_STATE={}", self.folder.path().canonicalize()?.join("state").display());
        let mut system = System::new().map_err(|error| anyhow::anyhow!("{error}"))?;
        let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always).without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let marked = system.processes().values().filter(|process| {
            process.status() != ProcessStatus::Zombie
                && process.environ().iter().any(|entry| entry.to_str() == Some(&mark))
        });
        Ok(marked.map(|process| process.pid().as_u32().cast_signed()).collect())
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until(
        &self,
        what: &str,
        condition: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        while !condition().await? {
            if Instant::now() > until {
                bail!("waited in vain for: {what}; the logs:\n{}", self.logs().unwrap_or_default());
            }
            tokio::time::sleep(pause).await;
            // What takes long is not hurried by those who ask, and many ask at once.
            pause = pause.mul_f64(1.2).min(Duration::from_millis(200));
        }
        Ok(())
    }
}

/// A short request for two load points on a local engine.
#[must_use]
pub fn request(engine: &str) -> Value {
    json!({
        "model": "meta-llama/Llama-3.1-8B",
        "instance_type": if engine == "simulator" { "g6e.xlarge" } else { "local" },
        "platform": {"kind": "local", "engine": engine},
        "workload": {"lengths": {"kind": "fixed", "input_tokens": 16, "output_tokens": 8}},
        "load_points": [{"concurrency": 1}, {"concurrency": 2}],
        "measurement": {"min_duration_s": 1.0, "min_requests": 5, "max_duration_s": 30.0},
    })
}

fn program(folder: &TempDir, name: &str) -> anyhow::Result<Command> {
    let log = File::options().create(true).append(true).open(folder.path().join(format!("{name}.log")))?;
    let mut command = Command::new(Installation::program()?);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

impl Drop for Installation {
    fn drop(&mut self) {
        let servers = self.servers.iter_mut().map(|server| &mut server.child);
        for child in self.workers.iter_mut().chain(servers) {
            // Whatever has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        for pid in self.run_processes().unwrap_or_default() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
