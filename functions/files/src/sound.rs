//! Recordings: their waveform, and those of browsers as the voice notes that WhatsApp takes.

use std::io::{BufReader, Cursor, Read, Seek};

use matroska_demuxer::{Frame, MatroskaFile};
use opus_pure::{OggOpusReader, OggOpusWriter, OggPacket, OpusDecoder, OpusHead, Trim};

/// Peaks of a waveform.
const PEAKS: usize = 64;

/// Samples a second that a waveform is made of.
const RATE: i32 = 8_000;

/// Samples of the longest packet, 120 ms, and of one look.
const LONGEST_PACKET: usize = 960;
const LOOK: usize = 80;

/// Looks of a hundredth of a second. A longer recording than half an hour is none of a voice, and has no waveform.
const MOST_LOOKS: usize = 30 * 60 * 100;

/// Quieter than this, on a scale to 1, nothing is heard.
const SILENCE: f32 = 0.000_5;

/// 64 peaks of an OGG/Opus recording, from 0 to 100 for its loudest. `None` of another format.
pub fn waveform<R: Read + Seek>(recording: R) -> Option<Vec<i16>> {
    let mut packets = OggOpusReader::new(BufReader::new(recording)).ok()?;
    let head = packets.head().clone();
    // One stream of one or two channels: what voices are recorded as.
    if head.mapping_family != 0 {
        return None;
    }
    let mut trim = Trim::new(&head, RATE, 1).ok()?;
    let mut decoder = OpusDecoder::new(RATE, 1).ok()?;
    let mut samples = [0_f32; LONGEST_PACKET];
    let mut packet = OggPacket::default();
    let mut looks = Vec::new();
    while packets.read_packet_into(&mut packet).ok()? {
        let count = decoder.decode(&packet.data, LONGEST_PACKET, &mut samples).ok()?;
        looks.extend(trim.keep(&packet, &samples[..count]).chunks(LOOK).map(loudest));
        if looks.len() > MOST_LOOKS {
            return None;
        }
    }
    if looks.is_empty() { None } else { Some(scaled(&looks)) }
}

fn loudest(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, sample| most.max(sample.abs()))
}

fn scaled(looks: &[f32]) -> Vec<i16> {
    let top = looks.iter().copied().fold(SILENCE, f32::max);
    let peak = |place: usize| {
        let (from, to) = (place * looks.len() / PEAKS, (place + 1) * looks.len() / PEAKS);
        let most = looks[from..to.max(from + 1)].iter().copied().fold(0.0, f32::max);
        #[expect(clippy::cast_possible_truncation, reason = "at most 100")]
        let share = (most / top * 100.0).round() as i16;
        if most < SILENCE { 0 } else { share }
    };
    (0..PEAKS).map(peak).collect()
}

/// The one Opus track of a `WebM` recording as OGG/Opus, packet by packet as it is. `None` of what has another track, or none.
pub fn ogg_of_webm<R: Read + Seek>(recording: &mut R) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    recording.read_to_end(&mut bytes).ok()?;
    measure_clusters(&mut bytes);
    let mut webm = MatroskaFile::open(Cursor::new(bytes)).ok()?;
    let [track] = webm.tracks() else { return None };
    let is_plain = track.codec_id() == "A_OPUS" && track.content_encodings().is_none_or(<[_]>::is_empty);
    let head = is_plain.then(|| track.codec_private()).flatten().and_then(opus_head)?;
    let mut ogg = OggOpusWriter::new(Vec::new(), head).ok()?;
    let (mut frame, mut count) = (Frame::default(), 0_u32);
    while webm.next_frame(&mut frame).ok()? {
        ogg.write_packet(&frame.data).ok()?;
        count += 1;
    }
    if count == 0 { None } else { ogg.finish().ok() }
}

/// Ids of what a segment has within it, and of the segment.
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;

/// Browsers write clusters before they know their size, and the demuxer asks for it: this writes it into the eight bytes that are there
/// for it. What was cut off in the middle of a packet ends before that.
fn measure_clusters(webm: &mut Vec<u8>) {
    let mut place = 0;
    let mut open: Option<usize> = None;
    while let Some((id, content, size)) = element_at(webm, place) {
        // Ids of four bytes are of the segment's own children.
        if id > 0x00FF_FFFF
            && let Some(begin) = open.take()
        {
            write_size(webm, begin, place);
        }
        match (id, size) {
            (SEGMENT, _) => place = content,
            (CLUSTER, None) if content - place == 12 => {
                open = Some(content);
                place = content;
            }
            (_, Some(size)) if size <= webm.len() - content => place = content + size,
            _ => break,
        }
    }
    if let Some(begin) = open {
        webm.truncate(place);
        write_size(webm, begin, place);
    }
}

fn write_size(webm: &mut [u8], begin: usize, end: usize) {
    let size = 0x0100_0000_0000_0000 | (end - begin) as u64;
    webm[begin - 8..begin].copy_from_slice(&size.to_be_bytes());
}

/// An element's id, where its content begins, and how large that is; no size when it says that it does not know.
fn element_at(webm: &[u8], place: usize) -> Option<(u32, usize, Option<usize>)> {
    let number = |place: usize, longest: u32| {
        let first = *webm.get(place)?;
        let length = first.leading_zeros() + 1;
        let bytes = (length <= longest).then(|| webm.get(place..place + length as usize)).flatten()?;
        Some((bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), length))
    };
    let (id, id_length) = number(place, 4)?;
    let (size, size_length) = number(place + id_length as usize, 8)?;
    let most = (1_u64 << (7 * size_length)) - 1;
    let size = size & most;
    let size = if size == most { None } else { Some(usize::try_from(size).ok()?) };
    Some((u32::try_from(id).ok()?, place + (id_length + size_length) as usize, size))
}

/// The header that `WebM` keeps with the track is the one that OGG begins with.
fn opus_head(private: &[u8]) -> Option<OpusHead> {
    let fields = private.strip_prefix(b"OpusHead\x01")?.first_chunk::<10>()?;
    let [channels, skip_low, skip_high, rate @ .., gain_low, gain_high, family] = *fields;
    if family != 0 || channels > 2 {
        return None;
    }
    let mut head = OpusHead::new(channels, u32::from_le_bytes(rate)).ok()?;
    head.pre_skip = u16::from_le_bytes([skip_low, skip_high]);
    head.output_gain_q8 = i16::from_le_bytes([gain_low, gain_high]);
    Some(head)
}

#[cfg(test)]
mod tests {
    use opus_pure::{Application, MAX_PACKET_BYTES, OpusEncoder};

    use super::*;

    const FRAME: usize = 960;

    /// A tone that grows louder, of this many packets of a fiftieth of a second.
    fn packets(count: usize) -> (OpusHead, Vec<Vec<u8>>) {
        let mut encoder = OpusEncoder::new(48_000, 1, Application::Voip).unwrap();
        let head = OpusHead::for_encoder(&encoder, 48_000);
        let mut packet = vec![0; MAX_PACKET_BYTES];
        let exact = |number: usize| {
            f32::from(u16::try_from(number / FRAME).unwrap()) + f32::from(u16::try_from(number % FRAME).unwrap()) / 960.0
        };
        let total = exact(count * FRAME);
        let packets = (0..count).map(|number| {
            let tone = |place: usize| (exact(place) * 55.3).sin() * exact(place) / total;
            let samples: Vec<f32> = (number * FRAME..(number + 1) * FRAME).map(tone).collect();
            let length = encoder.encode(&samples, FRAME, &mut packet).unwrap();
            packet[..length].to_vec()
        });
        let packets = packets.collect();
        (head, packets)
    }

    fn ogg(count: usize) -> Vec<u8> {
        let (head, packets) = packets(count);
        let mut ogg = OggOpusWriter::new(Vec::new(), head).unwrap();
        for packet in &packets {
            ogg.write_packet(packet).unwrap();
        }
        ogg.finish().unwrap()
    }

    #[test]
    fn a_waveform_grows_as_the_tone_does() {
        let peaks = waveform(Cursor::new(ogg(150))).unwrap();
        assert_eq!((peaks.len(), peaks.iter().max()), (PEAKS, Some(&100)));
        assert!(peaks[..8].iter().all(|peak| *peak < 20) && peaks[56..].iter().all(|peak| *peak > 75), "{peaks:?}");
        assert!(peaks.windows(8).all(|near| near[7] > near[0]), "{peaks:?}");
    }

    #[test]
    fn what_is_no_voice_has_no_waveform() {
        let whole = ogg(5);
        assert!(waveform(Cursor::new(&whole)).is_some());
        for broken in [&whole[..40], b"", b"OggS", b"%PDF-1.7"] {
            assert_eq!(waveform(Cursor::new(broken)), None);
        }
    }

    /// Two seconds as a browser records them, in clusters of unknown size, and the same packets as ffmpeg puts them into OGG.
    #[test]
    fn a_real_recording_becomes_what_others_make_of_it() {
        let packets = |ogg: &[u8]| {
            let mut read = OggOpusReader::new(Cursor::new(ogg)).unwrap();
            let head = (read.head().pre_skip, read.head().channel_count, read.head().input_sample_rate);
            let packets: Vec<Vec<u8>> = std::iter::from_fn(|| read.read_packet().unwrap()).map(|packet| packet.data).collect();
            (head, packets)
        };
        let webm = include_bytes!("../../../tests/data/voice.webm");
        let ours = ogg_of_webm(&mut Cursor::new(webm)).unwrap();
        let theirs = include_bytes!("../../../tests/data/voice.ogg");
        assert_eq!(packets(&ours), packets(theirs));
        // Cut off in the middle of a packet, it is what came before.
        let cut = ogg_of_webm(&mut Cursor::new(&webm[..webm.len() - 1000])).unwrap();
        let (whole, (_, cut)) = (packets(theirs).1, packets(&cut));
        assert!(cut.len() > 50 && whole.starts_with(&cut), "{} of {}", cut.len(), whole.len());
        assert_eq!(waveform(Cursor::new(ours)).unwrap().len(), PEAKS);
    }

    #[test]
    fn other_recordings_are_none() {
        let webm = include_bytes!("../../../tests/data/voice.webm");
        let place = webm.windows(6).position(|codec| codec == b"A_OPUS").unwrap();
        let other = [&webm[..place], b"A_MPEG", &webm[place + 6..]].concat();
        assert_eq!(ogg_of_webm(&mut Cursor::new(other)), None);
        let cluster = webm.windows(4).position(|id| id == CLUSTER.to_be_bytes()).unwrap();
        for length in [0, 4, 60, cluster, cluster + 12] {
            assert_eq!(ogg_of_webm(&mut Cursor::new(&webm[..length])), None);
        }
    }
}
