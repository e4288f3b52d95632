//! Bounds what the library can ever take in a browser.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo:rustc-link-arg-cdylib=--max-memory={MOST_BYTES}");
    }
}

/// 1 GiB for each machine, whatever its server sends; beyond it the worker ends with an error.
const MOST_BYTES: u32 = 1 << 30;
