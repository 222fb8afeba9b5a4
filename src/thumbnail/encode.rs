//! A picture as a file: PNG, and the tag that names its content.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::rfb::picture::Picture;

/// Encodes a picture, some milliseconds of work.
///
/// # Errors
/// None that a picture of ours could cause.
pub(super) fn png(picture: &Picture) -> Result<(Bytes, Arc<str>), png::EncodingError> {
    let mut file = Vec::with_capacity(picture.rgb.len() / 4);
    let (width, height) = (picture.size.width.into(), picture.size.height.into());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()?;
    let digest = Sha256::digest(&file);
    let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((file.into(), tag.into()))
}
