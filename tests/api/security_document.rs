//! `SECURITY.md` names tests. Each is there.

use std::{fs, path::Path};

#[test]
fn every_test_that_it_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<_> = document
        .split('`')
        .filter_map(|code| code.split_once(".rs::"))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for (file, test) in named {
        let source = fs::read_to_string(root.join(format!("{file}.rs"))).unwrap();
        assert!(source.contains(&format!("fn {test}()")), "{file}.rs has no {test}");
    }
}
