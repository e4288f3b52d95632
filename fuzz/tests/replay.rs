//! Runs every oracle over its seeds and over the inputs that once broke it.

use std::fs;
use std::io::Result;
use std::path::Path;

use spice_fuzz::TARGETS;

#[test]
fn seeds_and_regressions_hold() {
    for (name, oracle) in TARGETS {
        for folder in ["seeds", "regressions"] {
            for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)) {
                println!("{}", path.display());
                oracle(&fs::read(&path).expect("a file of this repository"));
            }
        }
    }
}

#[test]
fn inputs_of_few_bytes_hold() {
    for (name, oracle) in TARGETS {
        println!("{name}");
        oracle(&[]);
        for byte in 0..=255 {
            oracle(&[byte]);
            oracle(&[byte; 16]);
        }
    }
}

/// Every folder and every program belongs to a target, and every target has a program and seeds.
#[test]
fn files_and_targets_agree() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut programs = files(&root.join("fuzz_targets"));
    for (name, _) in TARGETS {
        let program = root.join("fuzz_targets").join(name).with_extension("rs");
        assert!(programs.contains(&program), "{name} has no program");
        programs.retain(|path| *path != program);
        assert!(!files(&root.join("seeds").join(name)).is_empty(), "{name} has no seeds");
    }
    assert!(programs.is_empty(), "{programs:?} belong to no target");
    for folder in ["seeds", "regressions"] {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
            let name = entry?.file_name();
            assert!(
                TARGETS.iter().any(|(target, _)| name == *target) || name == "README.md",
                "{folder}/{name:?} belongs to no target"
            );
        }
    }
    Ok(())
}

/// The files of a folder in order; none where there is no folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file of this repository").path()).collect();
    paths.sort();
    paths
}
