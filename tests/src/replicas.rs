//! A primary and its streaming replica on this machine, with TLS by a certificate authority of their own: what Aurora's
//! writer and reader are to a program. The primary can be lost, and the replica made the new one.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use accelbench_embedded_postgres::Installation;
use anyhow::{Context as _, ensure};
use nix::unistd::{User, geteuid};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

const USER: &str = "accelbench";
const PASSWORD: &str = "a-password-of-this-test";

/// Nobody gets in without TLS but the replica itself.
const ACCESS: &str = "host replication all 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";

/// Both servers; dropping it ends them.
#[derive(Debug)]
pub struct Replicas {
    folder: TempDir,
    programs: PathBuf,
    primary: Server,
    replica: Server,
}

#[derive(Debug, Clone)]
struct Server {
    data: PathBuf,
    port: u16,
}

impl Replicas {
    /// Makes the certificates, a primary with an empty database, and a replica of it that each commit waits for.
    ///
    /// # Errors
    /// When a program of PostgreSQL or `openssl` fails.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let installation = Installation::obtain(folder.path()).await?;
        let server = |name: &str| -> anyhow::Result<Server> {
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            Ok(Server { data: folder.path().join(name), port })
        };
        let (primary, replica) = (server("primary")?, server("replica")?);
        let programs = installation.bin_directory().to_owned();
        let replicas = Self { folder, programs, primary, replica };
        replicas.certificates()?;
        replicas.make_primary()?;
        replicas.execute("postgres", "CREATE DATABASE accelbench").await?;
        replicas.make_replica()?;
        replicas.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'").await?;
        replicas.execute("postgres", "SELECT pg_reload_conf()").await?;
        Ok(replicas)
    }

    /// The address of the primary, whose certificate is to be checked.
    #[must_use]
    pub fn primary_url(&self) -> String {
        Self::url(self.primary.port, "accelbench", "127.0.0.1", &self.authority())
    }

    /// The address of the replica.
    #[must_use]
    pub fn replica_url(&self) -> String {
        Self::url(self.replica.port, "accelbench", "127.0.0.1", &self.authority())
    }

    /// The primary's address by another name of its host, and trusting this authority.
    #[must_use]
    pub fn primary_url_as(&self, host: &str, authority: &Path) -> String {
        Self::url(self.primary.port, "accelbench", host, authority)
    }

    /// The certificate of the authority that signed the servers'.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// A certificate of an authority that signed nothing here.
    #[must_use]
    pub fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger.pem")
    }

    /// Ends the primary as a crash does.
    ///
    /// # Errors
    /// When it did not run.
    pub fn lose_primary(&self) -> anyhow::Result<()> {
        self.control(&self.primary, &["stop", "--mode", "immediate"])
    }

    /// Ends the replica as a crash does.
    ///
    /// # Errors
    /// When it did not run.
    pub fn lose_replica(&self) -> anyhow::Result<()> {
        self.control(&self.replica, &["stop", "--mode", "immediate"])
    }

    /// Makes the replica a primary.
    ///
    /// # Errors
    /// When it is none.
    pub fn promote(&self) -> anyhow::Result<()> {
        self.control(&self.replica, &["promote", "--wait"])
    }

    /// A connection to the replica.
    ///
    /// # Errors
    /// When there is none.
    pub async fn replica(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.replica_url()).await?)
    }

    async fn execute(&self, database: &str, statement: &'static str) -> anyhow::Result<()> {
        let url = Self::url(self.primary.port, database, "127.0.0.1", &self.authority());
        let mut connection = PgConnection::connect(&url).await?;
        connection.execute(statement).await?;
        Ok(connection.close().await?)
    }

    fn url(port: u16, database: &str, host: &str, authority: &Path) -> String {
        let authority = authority.display();
        format!(
            "postgres://{USER}:{PASSWORD}@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={authority}"
        )
    }

    fn certificates(&self) -> anyhow::Result<()> {
        let key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
        for name in ["authority", "stranger"] {
            let subject = format!("/CN={name} of a test");
            let files = [format!("{name}.key"), format!("{name}.pem")];
            self.openssl(&[
                &["req", "-x509"][..],
                &key,
                &["-subj", &subject, "-keyout", &files[0], "-out", &files[1]],
            ])?;
        }
        self.openssl(&[
            &["req"],
            &key,
            &["-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"],
        ])?;
        fs::write(self.folder.path().join("server.ext"), "subjectAltName=IP:127.0.0.1\n")?;
        self.openssl(&[
            &["x509", "-req", "-days", "2", "-in", "server.csr", "-extfile", "server.ext"],
            &["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-out", "server.pem"],
        ])?;
        if let Some(user) = substitute() {
            for path in [self.folder.path().to_owned(), self.folder.path().join("server.key")] {
                chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
            }
        }
        Ok(())
    }

    fn openssl(&self, arguments: &[&[&str]]) -> anyhow::Result<()> {
        let mut command = Command::new("openssl");
        succeed(command.current_dir(self.folder.path()).args(arguments.concat()))
    }

    fn make_primary(&self) -> anyhow::Result<()> {
        let password = self.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let data = self.primary.data.to_string_lossy();
        let password = format!("--pwfile={}", password.display());
        succeed(self.program("initdb").args(["-D", &data, "-U", USER, "--auth=scram-sha-256", &password]))?;
        fs::write(self.primary.data.join("pg_hba.conf"), ACCESS)?;
        self.launch(&self.primary)
    }

    fn make_replica(&self) -> anyhow::Result<()> {
        let (data, port) = (self.replica.data.to_string_lossy(), self.primary.port.to_string());
        let of_primary = ["-h", "127.0.0.1", "-p", &port, "-U", USER, "-D", &data];
        succeed(self.program("pg_basebackup").args(of_primary).args(["-R", "-X", "stream", "-c", "fast"]))?;
        self.launch(&self.replica)
    }

    fn launch(&self, server: &Server) -> anyhow::Result<()> {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c ssl=on -c ssl_cert_file={folder}/server.pem \
             -c ssl_key_file={folder}/server.key",
            server.port
        );
        let log = server.data.with_extension("log");
        self.control(server, &["start", "--wait", "--log", &log.to_string_lossy(), "--options", &options])
    }

    fn control(&self, server: &Server, arguments: &[&str]) -> anyhow::Result<()> {
        // Its output is a file: a server that inherits a pipe keeps whoever reads it waiting.
        let output = fs::File::create(self.folder.path().join("control.log"))?;
        let mut command = self.program("pg_ctl");
        command.args(["-D", &server.data.to_string_lossy()]).args(arguments);
        let status = command.stdout(output.try_clone()?).stderr(output).status()?;
        ensure!(
            status.success(),
            "{arguments:?}: {}",
            fs::read_to_string(server.data.with_extension("log"))?
        );
        Ok(())
    }

    /// PostgreSQL refuses to be root.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir("/").env("LC_ALL", "C");
        if let Some(user) = substitute() {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        for server in [&self.primary, &self.replica] {
            // One that was lost is gone already.
            let _ = self.control(server, &["stop", "--mode", "immediate"]);
        }
    }
}

fn substitute() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").ok().flatten()).flatten()
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
