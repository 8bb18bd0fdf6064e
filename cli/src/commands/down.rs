//! `accelbench down`: ends what `accelbench up` started, and waits until it is gone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::home::Home;
use crate::output::notice;

#[derive(Debug, Args)]
pub(crate) struct DownOptions {
    /// Folder that was given to `accelbench up`
    #[arg(long, env = "ACCELBENCH_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn down(options: DownOptions) -> anyhow::Result<()> {
    let home = Home::open(options.data_dir)?;
    if home.try_lock()?.is_some() {
        home.clear_running();
        notice("AccelBench is not up");
        return Ok(());
    }
    let Some(running) = home.running() else {
        bail!("`accelbench up` is starting or ending in {}; try again in a moment", home.folder().display());
    };
    match kill(Pid::from_raw(running.pid), Signal::SIGTERM) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => bail!("process {} cannot be told to end: {error}", running.pid),
    }
    let until = Instant::now() + Duration::from_mins(1);
    while home.try_lock()?.is_none() {
        if Instant::now() > until {
            bail!("process {} has not ended within 60 s", running.pid);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    notice("AccelBench is down");
    Ok(())
}
