//! Personal data that does not leave: CPF, CNPJ, cards, e-mail addresses and phones are names in what a model reads, and themselves again in what it answers.

use crate::{document, text::folded};

/// What a piece of personal data is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cpf,
    Cnpj,
    Card,
    Email,
    Phone,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpf => "CPF",
            Self::Cnpj => "CNPJ",
            Self::Card => "CARTAO",
            Self::Email => "EMAIL",
            Self::Phone => "TELEFONE",
        }
    }
}

/// The names given in one call. The same thing has the same name, however it is written.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    is_on: bool,
    /// What each name stands for, as it was written first, with what makes two writings one.
    kept: Vec<(String, String, String)>,
}

impl Mask {
    /// `is_on` is false where the company lets its model read everything.
    #[must_use]
    pub const fn new(is_on: bool) -> Self {
        Self { is_on, kept: Vec::new() }
    }

    /// The text with names for what is personal, in whatever writing it is; as it is read otherwise.
    pub fn hide(&mut self, text: &str) -> String {
        if !self.is_on {
            return text.to_owned();
        }
        let text = folded(text);
        let mut hidden = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, kind, found, after)) = next(rest) {
            hidden.push_str(before);
            hidden.push_str(&self.name(kind, found));
            rest = after;
        }
        hidden.push_str(rest);
        hidden
    }

    fn name(&mut self, kind: Kind, found: &str) -> String {
        let key: String = match kind {
            Kind::Email => WRITTEN_OUT.iter().fold(found.to_lowercase(), |text, (written, sign)| text.replace(written, sign)),
            _ => found.chars().filter(char::is_ascii_alphanumeric).collect(),
        };
        if let Some((name, ..)) = self.kept.iter().find(|(name, _, kept)| *kept == key && name[1..].starts_with(kind.name())) {
            return name.clone();
        }
        let number = 1 + self.kept.iter().filter(|(name, ..)| name[1..].starts_with(kind.name())).count();
        let name = format!("[{}_{number}]", kind.name());
        self.kept.push((name.clone(), found.to_owned(), key));
        name
    }

    /// The text with what its names stand for.
    #[must_use]
    pub fn show(&self, text: &str) -> String {
        self.kept.iter().fold(text.to_owned(), |text, (name, found, _)| text.replace(name, found))
    }
}

/// The personal data that stand in a text, in the form in which two writings of one are equal: what an answer may not bring from elsewhere.
#[must_use]
pub fn personal(text: &str) -> Vec<String> {
    let mut mask = Mask::new(true);
    mask.hide(text);
    mask.kept.into_iter().map(|(_, _, key)| key).collect()
}

/// Whether a text has a name that stands for personal data.
#[must_use]
pub fn has_masked(text: &str) -> bool {
    [Kind::Cpf, Kind::Cnpj, Kind::Card, Kind::Email, Kind::Phone].iter().any(|kind| text.contains(&format!("[{}_", kind.name())))
}

/// A text without the personal data that stand in it.
#[must_use]
pub fn without_personal(text: &str) -> String {
    let text = folded(text);
    let mut left = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, _, _, after)) = next(rest) {
        left.push_str(before);
        rest = after;
    }
    left + rest
}

/// The first piece of personal data, with what stands before and after it.
fn next(text: &str) -> Option<(&str, Kind, &str, &str)> {
    let mut from = 0;
    while let Some(start) = text[from..].find(is_beginning).map(|place| from + place) {
        let is_within_word = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        let whole = || email_at(text, start).or_else(|| number_at(text, start));
        let found = if is_within_word { None } else { whole() }.or_else(|| digits_at(text, start));
        if let Some((kind, end)) = found {
            return Some((&text[..start], kind, &text[start..end], &text[end..]));
        }
        from = start + next_beginning(&text[start..]);
    }
    None
}

fn is_beginning(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '+' || sign == '('
}

/// Where the next piece may begin: after the word, or where figures are glued to it.
fn next_beginning(text: &str) -> usize {
    let mut before = None;
    for (place, sign) in text.char_indices() {
        let is_glued = sign.is_ascii_digit() && before.is_some_and(char::is_alphabetic);
        if before.is_some() && (is_glued || !sign.is_alphanumeric()) {
            return place;
        }
        before = Some(sign);
    }
    text.len()
}

/// How signs of addresses are said in words, and the sign.
const WRITTEN_OUT: [(&str, &str); 14] = [
    (" (arroba) ", "@"),
    (" [arroba] ", "@"),
    (" arroba ", "@"),
    ("(arroba)", "@"),
    ("[arroba]", "@"),
    ("(at)", "@"),
    ("[at]", "@"),
    (" @ ", "@"),
    (" @", "@"),
    ("@ ", "@"),
    (" ponto ", "."),
    (" dot ", "."),
    ("[.]", "."),
    ("(.)", "."),
];

/// How long the sign is that a text begins with, in words or as it is.
fn sign_at(text: &str, sign: &str) -> Option<usize> {
    let written = WRITTEN_OUT.iter().filter(|(_, meant)| *meant == sign).map(|(written, _)| *written);
    let is_begun = |written: &&str| text.get(..written.len()).is_some_and(|text| text.eq_ignore_ascii_case(written));
    written.chain([sign]).find(is_begun).map(str::len)
}

fn email_at(text: &str, start: usize) -> Option<(Kind, usize)> {
    let of_name = |sign: char| sign.is_alphanumeric() || matches!(sign, '.' | '_' | '+' | '-' | '%');
    let at = start + text[start..].find(|sign: char| !of_name(sign))?;
    let mut place = at + sign_at(&text[at..], "@")?;
    let mut labels = 0;
    loop {
        let label = text[place..].find(|sign: char| !(sign.is_alphanumeric() || sign == '-')).unwrap_or(text.len() - place);
        if label == 0 {
            return None;
        }
        let (ending, end) = (&text[place..place + label], place + label);
        labels += 1;
        let dot = sign_at(&text[end..], ".").filter(|dot| text[end + dot..].starts_with(char::is_alphanumeric));
        match dot {
            Some(dot) => place = end + dot,
            None => return (labels > 1 && ending.chars().count() >= 2).then_some((Kind::Email, end)),
        }
    }
}

/// Digits with the signs that people write between them. Of a run that is no number as a whole, shorter ones are tried.
fn number_at(text: &str, start: usize) -> Option<(Kind, usize)> {
    let bytes = &text[start..];
    let mut signs = 0;
    let mut run = 0;
    for (place, sign) in bytes.char_indices() {
        match sign {
            _ if sign.is_ascii_alphanumeric() => (signs, run) = (0, place + 1),
            '+' if place == 0 => {}
            _ if is_between(sign) && signs < 3 => signs += 1,
            _ => break,
        }
    }
    let mut end = run;
    while end > 0 {
        let candidate = &bytes[..end];
        let is_whole = !bytes[end..].starts_with(|sign: char| sign.is_alphanumeric());
        if let Some(kind) = kind_of(candidate).filter(|_| is_whole) {
            return Some((kind, start + end));
        }
        end = candidate.rfind(is_between).map_or(0, |place| candidate[..place].trim_end_matches(is_between).len());
    }
    None
}

/// Signs that people write between the digits of one number.
fn is_between(sign: char) -> bool {
    matches!(sign, ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\n')
}

/// Digits that letters may be glued to: only what its own digits prove.
fn digits_at(text: &str, start: usize) -> Option<(Kind, usize)> {
    let digits = &text[start..];
    let mut end = digits.find(|sign: char| !(sign.is_ascii_digit() || is_between(sign))).unwrap_or(digits.len());
    while end > 0 {
        let candidate = digits[..end].trim_end_matches(is_between);
        let kind = kind_of(candidate).filter(|kind| matches!(kind, Kind::Cpf | Kind::Cnpj | Kind::Card));
        if let Some(kind) = kind.filter(|_| candidate.starts_with(|sign: char| sign.is_ascii_digit())) {
            return Some((kind, start + candidate.len()));
        }
        end = candidate.rfind(is_between).unwrap_or(0);
    }
    None
}

fn kind_of(text: &str) -> Option<Kind> {
    let characters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let upper = characters.to_ascii_uppercase();
    if document::is_cnpj(&upper) {
        return Some(Kind::Cnpj);
    }
    if !characters.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Lines are a list, unless the digits prove that they are one number.
    let is_list = text.contains('\n');
    let is_money = is_list || text.contains('.') && text.split('.').skip(1).all(|group| group.len() == 3);
    match characters.len() {
        11 if document::is_cpf(&characters) => Some(Kind::Cpf),
        13..=19 if is_card(&characters) => Some(Kind::Card),
        10..=12 if !is_money => Some(Kind::Phone),
        13 if !is_money && text.starts_with(['+', '5']) => Some(Kind::Phone),
        // Without the area: only as phones are written.
        8 | 9 if text.split_once('-').is_some_and(|(left, right)| left.len() >= 4 && right.len() == 4) => Some(Kind::Phone),
        _ => None,
    }
}

/// By the last digit of every card's number (Luhn).
fn is_card(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit - b'0')) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10) && !digits.bytes().all(|digit| digit == digits.as_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_personal_has_a_name_and_comes_back() {
        for (text, hidden) in [
            ("Meu CPF é 529.982.247-25.", "Meu CPF é [CPF_1]."),
            ("cpf 52998224725, de novo 529.982.247-25", "cpf [CPF_1], de novo [CPF_1]"),
            ("CNPJ 11.222.333/0001-81", "CNPJ [CNPJ_1]"),
            ("cartão 4539 1488 0343 6467 val 12/28", "cartão [CARTAO_1] val 12/28"),
            ("Escreva para Ana.Lima+1@exemplo.com.br.", "Escreva para [EMAIL_1]."),
            ("(11) 98765-4321 ou +55 11 3456-7890", "[TELEFONE_1] ou [TELEFONE_2]"),
            ("liga 98765-4321", "liga [TELEFONE_1]"),
            ("a@b e a@b.c não são, a@b.co é", "a@b e a@b.c não são, [EMAIL_1] é"),
            (
                "São R$ 1.250,00 em 12 parcelas, 2.500.000 no ano de 2026.",
                "São R$ 1.250,00 em 12 parcelas, 2.500.000 no ano de 2026.",
            ),
            ("às 10:30 de 29/11/2026, sala 12", "às 10:30 de 29/11/2026, sala 12"),
            ("pedido 123456", "pedido 123456"),
            ("５２９.９８２.２４７-２５ e 529.\u{200b}982.247-25 e ٥٢٩٩٨٢٢٤٧٢٥", "[CPF_1] e [CPF_1] e [CPF_1]"),
            ("529.982\n247-25", "[CPF_1]"),
            ("cpf529.982.247-25x", "cpf[CPF_1]x"),
            ("10\n20\n30\n40\n50", "10\n20\n30\n40\n50"),
            (
                "ana @ exemplo.com, ana＠exemplo.com, Ana arroba exemplo ponto com, ana(at)exemplo[.]com",
                "[EMAIL_1], [EMAIL_1], [EMAIL_1], [EMAIL_1]",
            ),
            ("", ""),
        ] {
            let mut mask = Mask::new(true);
            assert_eq!(mask.hide(text), hidden);
        }
        let mut mask = Mask::new(true);
        let text = "Sou 529.982.247-25, ana@exemplo.com.br, (11) 98765-4321.";
        let hidden = mask.hide(text);
        assert_eq!(mask.show(&hidden), text);
        assert_eq!(mask.hide("ANA@exemplo.com.br"), "[EMAIL_1]", "the same in a later text");
    }

    #[test]
    fn a_company_may_show_everything() {
        assert_eq!(Mask::new(false).hide("529.982.247-25"), "529.982.247-25");
    }

    #[test]
    fn a_name_is_told_from_other_brackets() {
        assert!(has_masked("É o [CPF_4]?") && has_masked("[EMAIL_1]"));
        assert!(!has_masked("[aviso_1] CPF_1 [CPF]"));
    }

    #[test]
    fn writings_of_one_are_one() {
        assert_eq!(personal("529.982.247-25"), personal("52998224725"));
        assert!(personal("às 10:30 de 29/11/2026").is_empty());
        assert_eq!(without_personal("CPF 529.982.247-25, dia 10"), "CPF , dia 10");
    }

    #[test]
    fn any_text_comes_back_whole() {
        for text in ["ção 12é34", "+", "((((", "1-2-3-4-5-6-7-8-9-0-1", "é@é.éé", "٣٤٥", "a 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"]
        {
            let mut mask = Mask::new(true);
            let hidden = mask.hide(text);
            assert_eq!(mask.show(&hidden), folded(text));
        }
    }
}
