//! Smaller pictures of a picture.

use std::io::{BufReader, Cursor, Read, Seek};

use image::{
    DynamicImage, GenericImageView as _, ImageDecoder, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};

/// Pixels of the longer side of what lists show, and of what a screen shows.
pub const THUMB: u32 = 320;
pub const POSTER: u32 = 1024;

/// What a picture may have, in pixels and in bytes when it is unpacked: a few thousand bytes can say that they are gigabytes.
pub const MOST_PIXELS: u64 = 30_000_000;
const MOST_BYTES: u64 = 128 * 1024 * 1024;

const JPEG_QUALITY: u8 = 80;

/// What was made of a picture. There is none of a size that the picture itself does not go beyond.
#[derive(Debug, PartialEq, Eq)]
pub struct Pictures {
    /// As it is to be shown: turned as its camera says.
    pub size: (i32, i32),
    pub mime_type: &'static str,
    pub thumb: Option<Vec<u8>>,
    pub poster: Option<Vec<u8>>,
}

/// `None` of what is no picture that can be read, or a larger one than is unpacked.
pub fn pictures<R: Read + Seek>(content: R, mime_type: &str) -> Option<Pictures> {
    let mut reader = ImageReader::new(BufReader::new(content));
    reader.set_format(ImageFormat::from_mime_type(mime_type)?);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_BYTES {
        return None;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder).ok()?;
    let is_see_through = has_holes(&whole);
    let poster = smaller(&whole, POSTER);
    let thumb = smaller(poster.as_ref().unwrap_or(&whole), THUMB);
    drop(whole);
    let encode = |picture: DynamicImage| encoded(turned(picture, orientation), is_see_through);
    let is_on_its_side = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = if is_on_its_side { (height, width) } else { (width, height) };
    Some(Pictures {
        size: (i32::try_from(width).ok()?, i32::try_from(height).ok()?),
        mime_type: if is_see_through { "image/png" } else { "image/jpeg" },
        thumb: thumb.and_then(encode),
        poster: poster.and_then(encode),
    })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MOST_BYTES);
    limits
}

fn has_holes(picture: &DynamicImage) -> bool {
    picture.color().has_alpha() && picture.pixels().any(|(_, _, pixel)| pixel.0[3] < u8::MAX)
}

fn smaller(picture: &DynamicImage, side: u32) -> Option<DynamicImage> {
    (picture.width().max(picture.height()) > side).then(|| picture.thumbnail(side, side))
}

fn turned(mut picture: DynamicImage, orientation: Orientation) -> DynamicImage {
    picture.apply_orientation(orientation);
    picture
}

fn encoded(picture: DynamicImage, is_see_through: bool) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    if is_see_through {
        DynamicImage::from(picture.into_rgba8()).write_to(&mut bytes, ImageFormat::Png).ok()?;
    } else {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&picture.into_rgb8()).ok()?;
    }
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }).into()
    }

    fn shown(bytes: Option<&Vec<u8>>) -> DynamicImage {
        image::load_from_memory(bytes.unwrap()).unwrap()
    }

    #[test]
    fn a_picture_is_made_smaller_and_keeps_its_shape() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let made = pictures(Cursor::new(written(&halves(2000, 1000), format)), format.to_mime_type()).unwrap();
            assert_eq!((made.size, made.mime_type), ((2000, 1000), "image/jpeg"), "{format:?}");
            let (thumb, poster) = (shown(made.thumb.as_ref()), shown(made.poster.as_ref()));
            assert_eq!([thumb.dimensions(), poster.dimensions()], [(320, 160), (1024, 512)]);
            let [red, blue] = [thumb.get_pixel(10, 80), thumb.get_pixel(310, 80)];
            assert!(red.0[0] > 200 && red.0[2] < 60 && blue.0[2] > 200 && blue.0[0] < 60, "{red:?} {blue:?}");
        }
    }

    #[test]
    fn a_small_picture_is_its_own() {
        let made = pictures(Cursor::new(written(&halves(320, 100), ImageFormat::Png)), "image/png").unwrap();
        assert_eq!((made.size, made.thumb, made.poster), ((320, 100), None, None));
    }

    #[test]
    fn what_shows_through_goes_on_showing_through() {
        let glass = RgbaImage::from_pixel(400, 400, Rgba([0, 0, 0, 100]));
        let made = pictures(Cursor::new(written(&glass.into(), ImageFormat::Png)), "image/png").unwrap();
        assert_eq!(made.mime_type, "image/png");
        assert_eq!(shown(made.thumb.as_ref()).get_pixel(5, 5).0[3], 100);
    }

    /// A JPEG that says in its EXIF how its camera was held.
    fn held(picture: &DynamicImage, orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0".to_vec();
        let place = exif.len() - 7;
        exif[place] = orientation;
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let jpeg = written(picture, ImageFormat::Jpeg);
        [&jpeg[..2], b"\xFF\xE1", &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn a_picture_is_turned_as_its_camera_was_held() {
        let made = pictures(Cursor::new(held(&halves(800, 400), 6)), "image/jpeg").unwrap();
        assert_eq!(made.size, (400, 800));
        let thumb = shown(made.thumb.as_ref());
        assert_eq!(thumb.dimensions(), (160, 320));
        let [top, bottom] = [thumb.get_pixel(80, 10), thumb.get_pixel(80, 310)];
        assert!(top.0[0] > 200 && bottom.0[2] > 200, "{top:?} {bottom:?}");
    }

    #[test]
    fn a_bomb_and_what_is_no_picture_make_nothing() {
        let mut bomb = written(&halves(8, 8), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
        assert_eq!(pictures(Cursor::new(&bomb), "image/png"), None);
        let whole = written(&halves(800, 400), ImageFormat::Png);
        assert_eq!(pictures(Cursor::new(&whole[..whole.len() / 2]), "image/png"), None);
        assert_eq!(pictures(Cursor::new(b"\x89PNG\r\n\x1a\n"), "image/png"), None);
        assert_eq!(pictures(Cursor::new(b"%PDF-1.7"), "application/pdf"), None);
    }
}
