//! Opens a file that may be compressed, by what its first bytes say rather than by its name.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use super::ReadError;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// The plain content of a file that is plain, gzip or xz.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, ReadError> {
    let failed = |source| ReadError::File { path: path.display().to_string(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = Vec::with_capacity(XZ.len());
    file.by_ref().take(XZ.len() as u64).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let file = BufReader::with_capacity(256 * 1024, file);
    Ok(if magic.starts_with(&GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if magic == XZ {
        Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file))
    } else {
        Box::new(file)
    })
}

/// The whole content as text; the error names the line that is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|source| ReadError::File { path: path.display().to_string(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.split(|byte| *byte == b'\n').count() - 1;
        ReadError::at(line as u64, "the text is not UTF-8; convert the file first (iconv -t UTF-8)")
    })
}
