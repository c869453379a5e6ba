//! Facts a picture or a recording carries in itself. They are nice to have: a file that does not tell them is taken all the same.

use std::{
    io::{BufReader, Read, Seek},
    panic,
    time::Duration,
};

use lofty::{
    config::{ParseOptions, ParsingMode},
    file::AudioFile,
    probe::Probe,
};

/// Width and height in pixels, from the first bytes of a JPEG, PNG, GIF or WebP.
#[must_use]
pub fn image_size(bytes: &[u8]) -> Option<(i32, i32)> {
    let size = quietly(|| imagesize::blob_size(bytes).ok())?;
    Some((i32::try_from(size.width).ok()?, i32::try_from(size.height).ok()?))
}

/// How long a recording plays: Ogg, MP3, MP4, AAC. Other formats do not say.
pub fn audio_duration<R: Read + Seek>(recording: &mut R) -> Option<Duration> {
    recording.rewind().ok()?;
    let options = ParseOptions::new().read_tags(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let read = || Probe::new(BufReader::new(recording)).options(options).guess_file_type().ok()?.read().ok();
    let duration = quietly(read)?.properties().duration();
    (!duration.is_zero()).then_some(duration)
}

/// A parser that panics on somebody's file has found nothing in it.
pub fn quietly<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    panic::catch_unwind(panic::AssertUnwindSafe(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn pictures_tell_their_size() {
        assert_eq!(image_size(b"GIF89a\x02\0\x03\0\x80\0\0"), Some((2, 3)));
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06\0\0\0";
        assert_eq!(image_size(png), Some((256, 128)));
        assert_eq!(image_size(b"%PDF-1.7"), None);
    }

    /// One Ogg page: header type, granule position, sequence number and one packet.
    fn page(kind: u8, granule: u64, number: u32, packet: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(kind);
        page.extend(granule.to_le_bytes());
        page.extend(1_u32.to_le_bytes());
        page.extend(number.to_le_bytes());
        page.extend([0; 4]);
        page.extend([1, u8::try_from(packet.len()).unwrap()]);
        page.extend(packet);
        page
    }

    #[test]
    fn a_voice_message_tells_its_duration() {
        let head = b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0";
        let tags = b"OpusTags\x01\0\0\0x\0\0\0\0";
        let pages = [page(2, 0, 0, head), page(0, 0, 1, tags), page(4, 48_000 * 3 + 312, 2, &[0; 40])].concat();
        assert_eq!(audio_duration(&mut Cursor::new(pages)), Some(Duration::from_secs(3)));
        assert_eq!(audio_duration(&mut Cursor::new(b"not audio")), None);
    }
}
