//! The processes of an installation: servers and workers that are started, killed and started again, and what runs started.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use accelbench_hub::HubOptions;
use accelbench_worker::{CatalogOptions, PriceOptions, Worker, WorkerOptions};
use anyhow::Context as _;
use nix::unistd::Pid;
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::Installation;
use crate::cluster::WorkerCluster;

/// A server and how it was started.
pub(super) struct Server {
    pub(super) child: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Installation {
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
        let server = self
            .command("server")?
            .args(["serve", "--max-dataset-mib", "1", "--bind", &format!("127.0.0.1:{port}")])
            .args(["--metrics-bind", "127.0.0.1:0"])
            .args(arguments)
            // A test asks more often than any person, and of many runs at once.
            .env("ACCELBENCH_MAX_REQUESTS_PER_S", "0")
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
        let mut command = self.worker_command(&self.url)?;
        command.envs(environment.iter().copied());
        for engine in engines {
            command.args(["--engine", engine]);
        }
        self.spawn_worker(command)
    }

    /// Starts a worker that has a cluster; returns its process id.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_cluster_worker(&mut self, cluster: &WorkerCluster) -> anyhow::Result<Pid> {
        let mut command = self.worker_command(&cluster.api_url)?;
        command.arg("--kubernetes").arg(&cluster.settings).env("KUBECONFIG", &cluster.kubeconfig);
        self.spawn_worker(command)
    }

    fn worker_command(&self, api_url: &str) -> anyhow::Result<Command> {
        let mut command = self.command("worker")?;
        command.args(["worker", "--api-url", api_url, "--metrics-bind", "127.0.0.1:0", "--state-dir"]);
        command.arg(self.state_folder());
        Ok(command)
    }

    fn spawn_worker(&mut self, mut command: Command) -> anyhow::Result<Pid> {
        let worker = command.spawn()?;
        let pid = Pid::from_raw(worker.id().cast_signed());
        self.workers.push(worker);
        Ok(pid)
    }

    /// The program with what every part of the installation has, and a log of its own.
    fn command(&self, part: &str) -> anyhow::Result<Command> {
        let log = self.folder.path().join(format!("{part}.log"));
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(Self::program()?);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command
            .env("DATABASE_URL", &self.database_url)
            .env("ACCELBENCH_SECRET_KEY", self.secret_key.to_text());
        Ok(command)
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
            state_dir: self.state_folder(),
            concurrency: 32,
            engines: Vec::new(),
            kubernetes: cluster.map(|cluster| cluster.settings.clone()),
            prices: PriceOptions::default(),
            catalog: CatalogOptions::default(),
            hub: HubOptions::offline(),
            program: Some(Self::program()?),
        };
        let worker = Worker::new(&options, self.database.pool.clone(), self.secret_key.clone()).await?;
        Ok((worker, options))
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
}
