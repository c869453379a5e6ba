//! What a video says of itself in the headers of its container. Nothing of it is unpacked, and however it is made, little is read.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    time::Duration,
};

use matroska_demuxer::MatroskaFile;
use mp4_atom::{Atom, FourCC, Hdlr, Header, Mehd, Mvhd, ReadFrom, Tkhd};

use super::{kind::Content, media::quietly};

/// Reads and jumps that a look at one file may take: a file may be made of nothing but headers.
const MOST_LOOKS: u32 = 100_000;

/// Bytes of the largest header that is of use.
const LARGEST_HEADER: u64 = 1024;

/// How long something plays and how large it is shown, in pixels, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub duration: Option<Duration>,
    pub size: Option<(i32, i32)>,
}

/// Looks into an MP4, a 3GP or a `WebM`.
pub(super) fn video_facts<R: Read + Seek>(video: &mut R, content: Content) -> Look {
    let mut patient = Patient { inner: video, looks: MOST_LOOKS };
    let read = || {
        patient.rewind().ok()?;
        if content == Content::WebM { webm(patient) } else { iso_media(&mut patient) }
    };
    quietly(read).unwrap_or_default()
}

/// Loses its patience with who reads and jumps too often.
struct Patient<R> {
    inner: R,
    looks: u32,
}

impl<R> Patient<R> {
    fn look(&mut self) -> io::Result<()> {
        self.looks = self.looks.checked_sub(1).ok_or_else(|| io::Error::other("too many headers"))?;
        Ok(())
    }
}

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        self.inner.read(buffer)
    }
}

impl<R: Seek> Seek for Patient<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.look()?;
        self.inner.seek(place)
    }
}

/// The boxes in a part of an ISO media file.
struct Boxes(Vec<(FourCC, Range<u64>)>);

impl Boxes {
    /// As far as they can be read.
    fn within<R: Read + Seek>(video: &mut R, part: Range<u64>) -> Self {
        let mut found = Vec::new();
        let mut place = part.start;
        while place < part.end {
            let Some((kind, content)) = read_header(video, place, part.end) else { break };
            place = content.end;
            found.push((kind, content));
        }
        Self(found)
    }

    fn all(&self, kind: &[u8; 4]) -> impl Iterator<Item = Range<u64>> {
        let kind = FourCC::new(kind);
        self.0.iter().filter(move |(found, _)| *found == kind).map(|(_, content)| content.clone())
    }

    /// Those in the first one of this kind.
    fn open<R: Read + Seek>(&self, video: &mut R, kind: &[u8; 4]) -> Option<Self> {
        Some(Self::within(video, self.all(kind).next()?))
    }

    /// The first one of its kind, as far as it is no larger than such a header is.
    fn read<T: Atom, R: Read + Seek>(&self, video: &mut R) -> Option<T> {
        let (_, content) = self.0.iter().find(|(kind, _)| *kind == T::KIND)?;
        let size = content.end - content.start;
        if size > LARGEST_HEADER {
            return None;
        }
        video.seek(SeekFrom::Start(content.start)).ok()?;
        let mut bytes = Vec::new();
        video.take(size).read_to_end(&mut bytes).ok()?;
        T::decode_body(&mut bytes.as_slice()).ok()
    }
}

/// A box's kind, and where its content is: after the beginning of its header.
fn read_header<R: Read + Seek>(video: &mut R, place: u64, end: u64) -> Option<(FourCC, Range<u64>)> {
    video.seek(SeekFrom::Start(place)).ok()?;
    let header = Header::read_from(video).ok()?;
    let begin = video.stream_position().ok()?;
    let size = header.size.map_or(u64::MAX, |size| size as u64);
    (begin <= end).then(|| (header.kind, begin..begin.saturating_add(size).min(end)))
}

fn iso_media<R: Read + Seek>(video: &mut R) -> Option<Look> {
    let end = video.seek(SeekFrom::End(0)).ok()?;
    let movie = Boxes::within(video, 0..end).open(video, b"moov")?;
    let head: Mvhd = movie.read(video)?;
    let is_told = |duration: &u64| ![0, u64::from(u32::MAX), u64::MAX].contains(duration);
    let of_fragments = |video: &mut R| Some(movie.open(video, b"mvex")?.read::<Mehd, R>(video)?.fragment_duration);
    let ticks = Some(head.duration).filter(is_told).or_else(|| of_fragments(video).filter(is_told));
    let milliseconds = ticks.and_then(|ticks| (u128::from(ticks) * 1000).checked_div(u128::from(head.timescale)));
    let tracks: Vec<Range<u64>> = movie.all(b"trak").collect();
    Some(Look {
        duration: milliseconds.and_then(|milliseconds| u64::try_from(milliseconds).ok()).map(Duration::from_millis),
        size: tracks.into_iter().find_map(|track| size_of_track(video, track)),
    })
}

/// What a track shows, turned as it says. None of sound.
fn size_of_track<R: Read + Seek>(video: &mut R, track: Range<u64>) -> Option<(i32, i32)> {
    let track = Boxes::within(video, track);
    let handler: Hdlr = track.open(video, b"mdia")?.read(video)?;
    let head: Tkhd = track.read(video)?;
    if handler.handler != FourCC::new(b"vide") || head.size_is_aspect_ratio {
        return None;
    }
    let (width, height) = (i32::from(head.width.integer()), i32::from(head.height.integer()));
    let is_on_its_side = head.matrix.a == 0 && head.matrix.d == 0;
    let size = if is_on_its_side { (height, width) } else { (width, height) };
    (width > 0 && height > 0).then_some(size)
}

fn webm<R: Read + Seek>(video: R) -> Option<Look> {
    let video = MatroskaFile::open(BufReader::new(video)).ok()?;
    let info = video.info();
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a tick are few")]
    let seconds = info.duration().map(|ticks| ticks * info.timestamp_scale().get() as f64 / 1e9);
    let shown = video.tracks().iter().find_map(|track| track.video());
    let pixels = shown.map(|video| (video.pixel_width().get(), video.pixel_height().get()));
    Some(Look {
        duration: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|duration| !duration.is_zero()),
        size: pixels.and_then(|(width, height)| Some((i32::try_from(width).ok()?, i32::try_from(height).ok()?))),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), kind, &content[..]].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
    const ON_ITS_SIDE: [u32; 9] = [0, 0x1_0000, 0, 0xFFFF_0000, 0, 0, 0, 0, 0x4000_0000];

    fn movie_head(timescale: u32, duration: u32) -> Vec<u8> {
        let start = words(&[0, 0, 0, timescale, duration, 0x1_0000, 0x0100_0000, 0, 0]);
        boxed(b"mvhd", &[&start, &words(&UPRIGHT), &[0; 24], &words(&[3])])
    }

    fn track(handler: &[u8; 4], matrix: &[u32; 9], width: u32, height: u32) -> Vec<u8> {
        let start = words(&[3, 0, 0, 1, 0, 1500, 0, 0, 0, 0]);
        let head = boxed(b"tkhd", &[&start, &words(matrix), &words(&[width << 16, height << 16])]);
        let handler = boxed(b"hdlr", &[&[0; 8], handler, &[0; 12], b"handler\0"]);
        boxed(b"trak", &[&head, &boxed(b"mdia", &[&boxed(b"mdhd", &[&[0; 24]]), &handler])])
    }

    fn sound() -> Vec<u8> {
        track(b"soun", &UPRIGHT, 0, 0)
    }

    fn mp4(movie: &[&[u8]]) -> Vec<u8> {
        let start = boxed(b"ftyp", &[b"isom\0\0\x02\0isomiso2mp41"]);
        [start, boxed(b"free", &[]), boxed(b"mdat", &[&[7; 5000]]), boxed(b"moov", movie)].concat()
    }

    fn facts(video: &[u8]) -> Look {
        video_facts(&mut Cursor::new(video), Content::IsoMedia)
    }

    fn known(milliseconds: u64, size: (i32, i32)) -> Look {
        Look { duration: Some(Duration::from_millis(milliseconds)), size: Some(size) }
    }

    #[test]
    fn a_video_tells_how_long_it_is_and_how_large() {
        let picture = track(b"vide", &UPRIGHT, 640, 360);
        assert_eq!(facts(&mp4(&[&movie_head(600, 2100), &sound(), &picture])), known(3500, (640, 360)));
        let turned = track(b"vide", &ON_ITS_SIDE, 640, 360);
        assert_eq!(facts(&mp4(&[&movie_head(1000, 1500), &turned])), known(1500, (360, 640)));
        let fragments = boxed(b"mvex", &[&boxed(b"mehd", &[&words(&[0, 90_000])])]);
        assert_eq!(facts(&mp4(&[&movie_head(30_000, 0), &picture, &fragments])), known(3000, (640, 360)));
    }

    #[test]
    fn what_a_video_does_not_tell_is_not_known() {
        let picture = track(b"vide", &UPRIGHT, 640, 360);
        let unknown = Look { duration: None, size: Some((640, 360)) };
        for head in [movie_head(1000, 0), movie_head(1000, u32::MAX), movie_head(0, 500)] {
            assert_eq!(facts(&mp4(&[&head, &picture])), unknown);
        }
        assert_eq!(facts(&mp4(&[&movie_head(1000, 500), &sound()])).size, None);
        assert_eq!(facts(&mp4(&[&picture])), Look::default());
        assert_eq!(facts(&mp4(&[])), Look::default());
    }

    #[test]
    fn whatever_is_made_to_look_like_a_video_costs_little() {
        let whole = mp4(&[&movie_head(600, 2100), &track(b"vide", &UPRIGHT, 640, 360)]);
        for length in 0..whole.len() {
            facts(&whole[..length]);
            let mut broken = whole.clone();
            broken[length] ^= 0xFF;
            facts(&broken);
            video_facts(&mut Cursor::new(&broken), Content::WebM);
        }
        let headers = boxed(b"free", &[]).repeat(2_000_000);
        let enormous = boxed(b"moov", &[&[0xFF, 0xFF, 0xFF, 0xFF], b"mvhd", &vec![0; 500_000]]);
        let endless = [&words(&[1]), &b"free"[..], &[0; 7], &[16]].concat().repeat(500_000);
        let nested =
            (0..10_000).fold(Vec::new(), |inner, _| if inner.len() < 80_000 { boxed(b"moov", &[&inner]) } else { inner });
        for video in [headers, enormous, endless, nested] {
            assert_eq!(facts(&video), Look::default());
        }
        // Elements of no content, one after the other.
        let elements = [
            &b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..],
            &[0xEC, 0x80].repeat(4_000_000),
        ];
        assert_eq!(video_facts(&mut Cursor::new(elements.concat()), Content::WebM), Look::default());
    }

    /// An element of `WebM` whose size takes a byte.
    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x80 | u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_webm_tells_the_same() {
        let head = [element(b"\x42\x82", b"webm"), element(b"\x42\x87", &[4]), element(b"\x42\x85", &[2])].concat();
        let head = element(b"\x1A\x45\xDF\xA3", &head);
        let info = [element(b"\x2A\xD7\xB1", &[0x0F, 0x42, 0x40]), element(b"\x44\x89", &2500_f64.to_be_bytes())].concat();
        let info = element(b"\x15\x49\xA9\x66", &[info, element(b"\x4D\x80", b"t"), element(b"\x57\x41", b"t")].concat());
        let size = [element(&[0xB0], &[2, 128]), element(&[0xBA], &[1, 104])].concat();
        let track = [
            element(&[0xD7], &[1]),
            element(b"\x73\xC5", &[1]),
            element(&[0x83], &[1]),
            element(&[0x86], b"V_VP8"),
            element(&[0xE0], &size),
        ];
        let tracks = element(b"\x16\x54\xAE\x6B", &element(&[0xAE], &track.concat()));
        let cluster = element(b"\x1F\x43\xB6\x75", &element(&[0xE7], &[0]));
        let segment = [info, tracks, cluster].concat();
        let size = u16::try_from(segment.len()).unwrap() | 0x4000;
        let webm = [head, b"\x18\x53\x80\x67".to_vec(), size.to_be_bytes().to_vec(), segment].concat();
        assert_eq!(video_facts(&mut Cursor::new(webm), Content::WebM), known(2500, (640, 360)));
    }

    /// Of a browser's camera nothing but sound is here: it says neither, and is no reason to refuse it.
    #[test]
    fn a_recording_without_either_is_taken_all_the_same() {
        let webm = include_bytes!("../../../tests/data/voice.webm");
        assert_eq!(video_facts(&mut Cursor::new(webm), Content::WebM), Look::default());
    }
}
