//! The files on disk that the demo downloads, and their checksums.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What is made: how many files of about which size. 256 MiB, more or less.
const SIZES: [(usize, u64); 4] = [(4, 32 * MIB), (24, 4 * MIB), (200, 160 * KIB), (1, 0)];

#[derive(Debug)]
pub(crate) struct File {
    /// Its path below the folder, with slashes.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) checksum: Checksum,
}

pub(crate) type Checksum = [u8; 32];

/// Fills a temporary folder with files of many sizes. They are the same every time, and do not compress.
pub(crate) async fn make() -> io::Result<TempDir> {
    blocking(|| {
        let folder = tempfile::Builder::new().prefix("muxado-tunnel-").tempdir()?;
        let mut random = fastrand::Rng::with_seed(1);
        for (count, size) in SIZES {
            for number in 0..count {
                let size = random.u64(size / 2..=size + size / 2);
                write(&folder.path().join(format!("{size}-{number}.bin")), size, &mut random)?;
            }
        }
        Ok(folder)
    })
    .await
}

fn write(path: &Path, size: u64, random: &mut fastrand::Rng) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    let mut left = size;
    let mut block = vec![0; 64 * 1024];
    while left > 0 {
        block.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        random.fill(&mut block);
        file.write_all(&block)?;
        left -= block.len() as u64;
    }
    Ok(())
}

/// Every regular file below `folder`, the largest first, so that a long one is not left for the end. Leaves out links,
/// and names that are not UTF-8.
pub(crate) async fn list(folder: &Path) -> io::Result<Vec<File>> {
    let folder = folder.to_owned();
    blocking(move || {
        let mut files = Vec::new();
        let mut left = vec![(folder, String::new())];
        while let Some((folder, prefix)) = left.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let (name, kind) = (format!("{prefix}{name}"), entry.file_type()?);
                if kind.is_dir() {
                    left.push((entry.path(), format!("{name}/")));
                } else if kind.is_file() {
                    files.push(File::read(name, entry.path())?);
                }
            }
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        Ok(files)
    })
    .await
}

impl File {
    fn read(name: String, path: PathBuf) -> io::Result<File> {
        let mut hash = Sha256::new();
        let size = io::copy(&mut fs::File::open(path)?, &mut hash)?;
        Ok(File { name, size, checksum: hash.finalize().into() })
    }
}

/// Runs file work where it does not hold up the tunnel.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await?
}
