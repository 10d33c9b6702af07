//! Makes Cargo notice when the page was built, and compile when it never was.

fn main() {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist");
    // Cargo compares times only of what exists; without the folder it would compile this crate anew each time. A source
    // folder that cannot be written to is no reason to fail, since the page may be missing.
    if std::fs::create_dir_all(dist).is_err() {
        println!("cargo:warning=cannot create web/dist; the page will not be embedded");
    }
    println!("cargo:rerun-if-changed={dist}");
    println!("cargo:rerun-if-changed=build.rs");
}
