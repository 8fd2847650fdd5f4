//! The programs that stand in for AWS, or ask it: installed by the tests themselves, never taken from the `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::skip::Lack;

/// Of the script: this machine has no Python that could run them.
const NO_PYTHON: i32 = 69;

/// Installs them if need be, once in a process; other processes wait for it meanwhile.
static TOOLS: LazyLock<Result<PathBuf, Lack>> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("aws-tools/install");
    let output = match Command::new(&script).output() {
        Ok(output) => output,
        Err(error) => return Err(Lack::Broken(format!("{}: {error}", script.display()))),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.code() {
        Some(0) => Ok(text(&output.stdout).into()),
        Some(NO_PYTHON) => Err(Lack::Absent(text(&output.stderr))),
        _ => {
            // Once, not with each of the tests that fail for it.
            eprintln!("{}", text(&output.stderr));
            let reason = "moto and the AWS CLI can't be installed: pip's output is above";
            Err(Lack::Broken(reason.to_owned()))
        }
    }
});

/// Returns the path of one of them: `moto_server`, `aws`.
///
/// # Panics
///
/// If they are missing: a test that uses them asks [`lack`] first.
pub fn program(name: &str) -> PathBuf {
    TOOLS.as_ref().unwrap().join(name)
}

/// Returns what is missing of them.
pub fn lack() -> Lack {
    TOOLS.as_ref().err().cloned().unwrap_or(Lack::Nothing)
}
