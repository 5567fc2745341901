//! The zip: the same bytes for the same files, on every machine and day.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// One file.
#[derive(Debug)]
pub struct Entry {
    /// From the root of the package.
    pub name: String,
    /// Unix rights.
    pub mode: u32,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Packs the files in the order of their names, all with the oldest time that a zip knows.
pub fn zip(mut entries: Vec<Entry>) -> Result<Vec<u8>, String> {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(entry.mode);
        let started = writer.start_file(&entry.name, options);
        let written = started.map_err(|error| error.to_string()).and_then(|()| {
            let written = writer.write_all(&entry.content);
            written.map_err(|error| error.to_string())
        });
        written.map_err(|error| format!("{} cannot be packed: {error}", entry.name))?;
    }
    let finished = writer.finish();
    let bytes = finished.map_err(|error| format!("the package cannot be finished: {error}"))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, mode| Entry {
            name: name.to_owned(),
            mode,
            content: name.as_bytes().repeat(100),
        };
        vec![entry("host.json", 0o644), entry("bin/handler", 0o755)]
    }

    #[test]
    fn the_order_of_the_files_does_not_change_the_package() {
        let mut turned = entries();
        turned.reverse();
        assert_eq!(zip(entries()).unwrap(), zip(turned).unwrap());
    }

    #[test]
    fn rights_and_content_are_kept() {
        let mut archive = ZipArchive::new(Cursor::new(zip(entries()).unwrap())).unwrap();
        let mut file = archive.by_name("bin/handler").unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(file.unix_mode(), Some(0o100_755));
        assert_eq!(content, b"bin/handler".repeat(100));
    }

    #[test]
    fn files_say_that_they_were_made_on_unix() {
        let bytes = zip(entries()).unwrap();
        // The central directory: signature, then the version and the system that made the file.
        let signature = [b'P', b'K', 1, 2];
        let made_by: Vec<u8> = bytes
            .windows(6)
            .filter(|window| window.starts_with(&signature))
            .map(|window| window[5])
            .collect();
        assert_eq!(made_by, [3, 3]);
    }
}
