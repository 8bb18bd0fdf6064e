//! A real engine for tests: llama.cpp's own server, from PyPI, on a tiny model of random weights.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, ensure};
use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};

const REQUIREMENTS: &str = include_str!("../engines/requirements.txt");

/// What keeps the engine from being used here, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// Installs the engine unless it was installed before, and gives the command that offers it as `llama`. The virtual
/// environment is kept under the user's cache folder.
///
/// # Errors
/// When the cache folder cannot be used.
pub fn offer() -> anyhow::Result<Result<String, Unavailable>> {
    let cache = etcetera::choose_base_strategy()?.cache_dir().join("accelbench");
    let version = hex::encode(Sha256::digest(REQUIREMENTS));
    let folder = cache.join(format!("llama-cpp-{}", &version[..12]));
    fs::create_dir_all(&folder)?;
    // Tests run in processes of their own, and one of them installs.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let python = folder.join("venv/bin/python");
    let complete = folder.join("complete");
    if !complete.exists() {
        if let Err(reason) = install(&folder, &python)? {
            return Ok(Err(reason));
        }
        File::create(complete)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines/tiny_llama.py");
    Ok(Ok(format!(
        "llama='{}' '{}' --model-file '{}' --host {{host}} --port {{port}} --alias {{model}}",
        python.display(),
        script.display(),
        folder.join("tiny.gguf").display()
    )))
}

fn install(folder: &Path, python: &PathBuf) -> anyhow::Result<Result<(), Unavailable>> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines/requirements.txt");
    let venv = folder.join("venv");
    let Ok(made) = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)) else {
        return Ok(Err(Unavailable("python3 is not on PATH".to_owned())));
    };
    if !made.status.success() {
        return Ok(Err(Unavailable(format!("`python3 -m venv` failed: {}", last_line(&made)))));
    }
    let installed = run(Command::new(python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "-r",
        ])
        .arg(&requirements))
    .context("the new environment has no python")?;
    if !installed.status.success() {
        return Ok(Err(Unavailable(format!("pip could not install the engine: {}", last_line(&installed)))));
    }
    // A wheel may be for another kind of processor than it says.
    let loaded = run(Command::new(python).args(["-c", "import gguf, numpy, xllamacpp"]))?;
    ensure!(loaded.status.success(), "the engine was installed but cannot be loaded: {}", last_line(&loaded));
    Ok(Ok(()))
}

fn run(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn last_line(output: &Output) -> String {
    let text =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").trim().to_owned()
}
