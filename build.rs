//! Packs the settings page's files for the binary: each as it is and gzipped, under one folder that is named by a hash of all.

use std::{env, error::Error, fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

const PAGE: &str = "src/manage/page";
/// How many digits of the hash name the folder.
const DIGITS: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={PAGE}");
    println!("cargo::rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let out = env::var("OUT_DIR")?;
    let (root, out) = (Path::new(&root).join(PAGE), Path::new(&out));
    let mut names = Vec::new();
    for entry in fs::read_dir(&root)? {
        let name = entry?
            .file_name()
            .into_string()
            .map_err(|_| "a file's name is not UTF-8")?;
        // The page itself is a template, and Rust is what serves it.
        let kind = Path::new(&name).extension().and_then(|kind| kind.to_str());
        if !matches!(kind, Some("html" | "rs")) {
            names.push(name);
        }
    }
    names.sort();
    let (mut hash, mut files) = (Sha256::new(), String::new());
    for name in &names {
        let bytes = fs::read(root.join(name))?;
        hash.update(name);
        hash.update([0]);
        hash.update(u64::try_from(bytes.len())?.to_be_bytes());
        hash.update(&bytes);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        fs::write(out.join(name), bytes)?;
        fs::write(out.join(format!("{name}.gz")), gzip.finish()?)?;
        writeln!(
            files,
            "    File {{
        name: \"{name}\",
        plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")),
        gzipped: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")),
    }},"
        )?;
    }
    let digits = hash
        .finalize()
        .iter()
        .fold(String::new(), |all, byte| format!("{all}{byte:02x}"));
    let count = names.len();
    let code = format!(
        "/// Names the folder of the files.\nconst HASH: &str = {:?};\n/// All files.\nstatic FILES: [File; {count}] = [\n{files}];\n",
        &digits[..DIGITS]
    );
    fs::write(out.join("page.rs"), code)?;
    Ok(())
}
