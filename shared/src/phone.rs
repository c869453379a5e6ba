//! Phone numbers as identities: one subscriber is one identity, however WhatsApp or a colleague writes their number. Replies never go
//! to what is made here, but to the id that WhatsApp gave.

mod countries;

pub use countries::country;

/// A country in which WhatsApp's ids of one subscriber come in more than one writing.
struct Rule {
    /// The country's calling code.
    code: &'static str,
    /// The one writing of a national number; `None` for a number that has only one.
    national: fn(&str) -> Option<String>,
}

/// Countries that are not here have one writing, as far as is known: a rule needs a source.
const RULES: [Rule; 3] = [
    // Anatel's numbering plan (resolution 553/2010: the ninth digit, since 2016 everywhere); WhatsApp knows accounts of before by the
    // old eight digits: chatwoot/chatwoot#5840, nyaruka/courier#433. Landlines never got one: devlikeapro/waha#1974.
    Rule { code: "55", national: brazil },
    // Argentina's Plan Fundamental de Numeración: ten digits of area and subscriber, in one plan for landlines and mobiles; `9` (from
    // abroad) and `15` (at home) only tell the exchange that it is a mobile. WhatsApp's ids come with and without the 9:
    // chatwoot/chatwoot#14264.
    Rule { code: "54", national: argentina },
    // Mexico's IFT did away with the `1` before mobiles on 3 August 2019: ten digits for everybody. WhatsApp's ids still come with it:
    // chatwoot/chatwoot#14048.
    Rule { code: "52", national: mexico },
];

/// Argentina's area codes of three digits, from libphonenumber 9. Buenos Aires has two (11), all others four.
const AREAS_OF_THREE: [&str; 38] = [
    "220", "221", "223", "230", "236", "237", "249", "260", "261", "263", "264", "266", "280", "291", "294", "297", "298", "299",
    "336", "341", "342", "343", "345", "348", "351", "353", "358", "362", "364", "370", "376", "379", "380", "381", "383", "385",
    "387", "388",
];

/// Digits of a WhatsApp id, or of a number written with its country code, in the form by which one person is one identity: a Brazilian
/// mobile always has its ninth digit and a landline never gets one, an Argentine number has neither 9 nor 15, a Mexican one no 1.
#[must_use]
pub fn canonical(text: &str) -> String {
    let digits = digits(text);
    let ruled = RULES.iter().find_map(|Rule { code, national }| {
        let national = national(digits.strip_prefix(code)?)?;
        Some(format!("{code}{national}"))
    });
    ruled.unwrap_or(digits)
}

/// E.164, for display and storage: `+` and the canonical digits.
#[must_use]
pub fn e164(text: &str) -> String {
    format!("+{}", canonical(text))
}

/// What finds a canonical number by whatever somebody types of it, with or without its country code: digits for the inside of a `like`,
/// with `%` where the canonical form may have a digit more.
#[must_use]
pub fn search_pattern(text: &str) -> String {
    let digits = digits(text);
    let whole = canonical(&digits);
    if whole != digits {
        return whole;
    }
    let national = digits.trim_start_matches('0');
    match (national.len(), national.as_bytes()) {
        (10, [_, _, b'6'..=b'9', ..]) => format!("{}%{}", &national[..2], &national[2..]),
        // A 1 or 9 before a Mexican or Argentine number; not a Brazilian mobile, whose third digit is the ninth one.
        (11, [b'1', b'2'..=b'9', third, ..] | [b'9', b'1'..=b'3', third, ..]) if *third != b'9' => national[1..].to_owned(),
        (12 | 13, _) => argentina(national).unwrap_or_else(|| national.to_owned()),
        (0, _) => digits,
        _ => national.to_owned(),
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Area and eight digits that begin as mobiles do: the ninth is put before them.
fn brazil(national: &str) -> Option<String> {
    let lacks_ninth_digit = national.len() == 10 && matches!(national.as_bytes()[2], b'6'..=b'9');
    lacks_ninth_digit.then(|| format!("{}9{}", &national[..2], &national[2..]))
}

/// Area and subscriber, ten digits, without the mobile's 9 before them or its 15 between them.
fn argentina(national: &str) -> Option<String> {
    let significant = national.strip_prefix('9').or_else(|| national.strip_prefix('0')).unwrap_or(national);
    if !matches!(significant.as_bytes().first(), Some(b'1'..=b'3')) {
        return None;
    }
    let ten = match significant.len() {
        10 => significant.to_owned(),
        12 => without_fifteen(significant)?,
        _ => return None,
    };
    (ten != national).then_some(ten)
}

/// The area has two, three or four digits; some of four begin as one of three does, and the place of the 15 tells them apart.
fn without_fifteen(significant: &str) -> Option<String> {
    let cut = |area: usize| {
        let (area, local) = significant.split_at(area);
        Some(format!("{area}{}", local.strip_prefix("15")?))
    };
    if significant.starts_with("11") {
        return cut(2);
    }
    AREAS_OF_THREE.contains(&&significant[..3]).then(|| cut(3)).flatten().or_else(|| cut(4))
}

/// Ten digits, without the 1 that mobiles had before them.
fn mexico(national: &str) -> Option<String> {
    let ten = national.strip_prefix('1').filter(|ten| ten.len() == 10)?;
    matches!(ten.as_bytes()[0], b'2'..=b'9').then(|| ten.to_owned())
}

#[cfg(test)]
mod tests;
