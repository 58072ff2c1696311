//! Public programs that read what we write: Python libraries in an environment of their own, and poppler.
//!
//! Each is somebody else's reading of the format. The environment is made once, in the build's folder.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The libraries, each with the version that these tests were written against.
const LIBRARIES: [&str; 4] = ["ofxtools==1.1.1", "ofxparse==0.21", "pyjwt==2.15.1", "cryptography"];

/// The interpreter of an environment with the libraries; `None`, with the reason said, where it cannot be made.
fn interpreter() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python");
        let program = folder.join("bin/python");
        let ready = folder.join("ready");
        if std::fs::read_to_string(&ready).is_ok_and(|made| made == LIBRARIES.join(" ")) {
            return Some(program);
        }
        let is_done =
            |command: &mut Command| command.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        let is_made = is_done(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && is_done(Command::new(&program).args(["-m", "pip", "install", "--quiet"]).args(LIBRARIES));
        if !is_made {
            eprintln!("left out: python3 with venv and pip could not install {LIBRARIES:?}");
            return None;
        }
        std::fs::write(ready, LIBRARIES.join(" ")).unwrap();
        Some(program)
    });
    made.as_deref()
}

/// What a script prints, given these arguments; `None` where there is no Python to run it.
pub fn run(script: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(interpreter()?).args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What a program of poppler prints; `None`, with the reason said, where it is not installed.
pub fn poppler(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        eprintln!("left out: {program} is not installed (poppler-utils)");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Verifies a signed text by a key set and nothing else; prints the claims, or how it fails.
const VERIFY: &str = "import json, sys, jwt\nkeys = jwt.PyJWKSet.from_json(sys.argv[1])\nkid = jwt.get_unverified_header(sys.argv[2])['kid']\n\
try:\n    print(json.dumps(jwt.decode(sys.argv[2], keys[kid].key, algorithms=['EdDSA'])))\nexcept jwt.InvalidSignatureError:\n    print(json.dumps('forged'))";

/// The claims of a signed text, or `forged`; nothing where there is no Python that could say.
pub fn verified(keys: &Value, signed: &str) -> Option<Value> {
    let printed = run(VERIFY, &[&keys.to_string(), signed])?;
    Some(serde_json::from_str(&printed).unwrap())
}
