//! The readable parts of a mail: enough of MIME for what mail libraries write.

use base64::{Engine, alphabet, engine::GeneralPurpose, engine::general_purpose::PAD};

const MOST_NESTED: usize = 8;

/// Accepts base64 whose padding was left out.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent));

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub subject: String,
    pub message_id: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
}

pub(super) fn read(raw: &[u8]) -> Parts {
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n");
    let (headers, _) = split(&text);
    let mut parts = Parts {
        subject: decode_words(&header(&headers, "subject").unwrap_or_default()),
        message_id: header(&headers, "message-id"),
        ..Parts::default()
    };
    collect(&text, &mut parts, 0);
    parts
}

fn collect(entity: &str, parts: &mut Parts, depth: usize) {
    let (headers, body) = split(entity);
    let kind = header(&headers, "content-type").unwrap_or_else(|| "text/plain".to_owned());
    let lower = kind.to_ascii_lowercase();
    if lower.starts_with("multipart/") && depth < MOST_NESTED {
        if let Some(boundary) = parameter(&kind, "boundary") {
            let separator = format!("--{boundary}");
            for part in format!("\n{body}").split(&format!("\n{separator}")).skip(1) {
                if part.starts_with("--") {
                    break;
                }
                collect(part.strip_prefix('\n').unwrap_or(part), parts, depth + 1);
            }
        }
        return;
    }
    let attached = header(&headers, "content-disposition")
        .is_some_and(|disposition| disposition.to_ascii_lowercase().starts_with("attachment"));
    if attached {
        return;
    }
    let encoding = header(&headers, "content-transfer-encoding").unwrap_or_default();
    let place = match () {
        () if lower.starts_with("text/html") => &mut parts.html,
        () if lower.starts_with("text/plain") => &mut parts.text,
        () => return,
    };
    place.get_or_insert_with(|| decode(body, &encoding));
}

/// Header lines, unfolded, and the body.
fn split(entity: &str) -> (Vec<String>, &str) {
    let (head, body) = match entity.strip_prefix('\n') {
        Some(body) => ("", body),
        None => entity.split_once("\n\n").unwrap_or((entity, "")),
    };
    let mut headers: Vec<String> = Vec::new();
    for line in head.lines() {
        match headers.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ => headers.push(line.to_owned()),
        }
    }
    (headers, body)
}

fn header(headers: &[String], name: &str) -> Option<String> {
    headers.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim_matches('"').to_owned())
    })
}

fn decode(body: &str, encoding: &str) -> String {
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let compact: String = body.split_whitespace().collect();
            BASE64.decode(compact).unwrap_or_else(|_| body.as_bytes().to_vec())
        }
        "quoted-printable" => quoted_printable(&body.replace("=\n", "")),
        _ => return body.to_owned(),
    };
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'='
            && let Some((pair, after)) = rest.split_at_checked(2)
            && let Ok(decoded) = hex::decode(pair)
        {
            bytes.extend(decoded);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    bytes
}

/// Decodes `=?utf-8?b?…?=` and `=?utf-8?q?…?=`; white space between two of them is dropped.
fn decode_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, word)) = rest.split_once("=?") {
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        let Some((text, after)) = decode_word(word) else {
            decoded.push_str("=?");
            (rest, after_word) = (word, false);
            continue;
        };
        decoded.push_str(&text);
        (rest, after_word) = (after, true);
    }
    decoded + rest
}

/// The text of `charset?encoding?text?=` and what follows it.
fn decode_word(word: &str) -> Option<(String, &str)> {
    let (_charset, word) = word.split_once('?')?;
    let (encoding, word) = word.split_once('?')?;
    let (text, after) = word.split_once("?=")?;
    let bytes =
        if encoding.eq_ignore_ascii_case("b") { BASE64.decode(text).ok()? } else { quoted_printable(&text.replace('_', " ")) };
    Some((String::from_utf8_lossy(&bytes).into_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn decodes_a_mail_in_two_forms() {
        let raw = "Subject: =?utf-8?b?T2zDoQ==?= =?utf-8?q?,_Jo=C3=A3o?=\r\n\
            Content-Type: multipart/alternative;\r\n boundary=\"x y\"\r\n\r\n\
            --x y\r\nContent-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nOl=C3=A1, abra https://a.test/?t=3D=\r\n1\r\n\
            --x y\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            PGI+b2k8\r\nL2I+\r\n--x y--\r\n";
        let parts = read(raw.as_bytes());
        assert_eq!(parts.subject, "Olá, João");
        assert_eq!(parts.text.as_deref(), Some("Olá, abra https://a.test/?t=1"));
        assert_eq!(parts.html.as_deref(), Some("<b>oi</b>"));
    }

    #[test]
    fn reads_a_plain_mail() {
        let parts = read(b"Subject: Oi\r\n\r\nTudo bem?\r\n");
        assert_eq!(parts.subject, "Oi");
        assert_eq!(parts.text.as_deref(), Some("Tudo bem?\n"));
    }
}
