//! Which compiler this is built with, for `stamp_build_info`.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("--version").output();
    let text = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let version = text.ok().and_then(|text| text.split_whitespace().nth(1).map(str::to_owned));
    println!("cargo::rustc-env=STAMP_RUSTC={}", version.unwrap_or_default());
    println!("cargo::rerun-if-env-changed=STAMP_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
}
