//! Documents that the test suite writes.

use std::path::Path;

/// Checks that a file of the project holds `document`; with `UPDATE_DOCS=1` it is written first.
#[track_caller]
pub fn check(file: &str, document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document).unwrap();
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        is, document,
        "{file} is not what the tests say: UPDATE_DOCS=1 writes it anew"
    );
}
