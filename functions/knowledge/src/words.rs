//! How texts become terms: what people write, without its accents, its endings and what says nothing.
//!
//! Postgres' Portuguese stemmer wants the accents that people leave out, so that it finds no plural of what was written without. An article's
//! terms and a question's are made here alone.

use std::collections::HashSet;

use shared::text::unaccented;

use crate::vocabulary::{PHRASES, SHORT_FORMS, SILENT};

/// Characters of a term; nothing people look for is longer.
const LONGEST: usize = 40;

/// The terms of a text in their order, repeated ones too.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let mut plain = format!(" {} ", spaced(text));
    for (phrase, word) in PHRASES {
        let spoken = format!(" {phrase} ");
        while plain.contains(&spoken) {
            plain = plain.replace(&spoken, &format!(" {word} "));
        }
    }
    plain.split(' ').flat_map(written_out).filter(|word| !SILENT.contains(word)).map(stem).collect()
}

/// The terms of a text in their order, each once.
#[must_use]
pub fn distinct(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    terms(text).into_iter().filter(|term| seen.insert(term.clone())).collect()
}

/// Small letters without accents and figures, with one space between words.
fn spaced(text: &str) -> String {
    let plain = unaccented(text);
    let mut words = String::with_capacity(plain.len());
    for letter in plain.chars() {
        if letter.is_alphanumeric() {
            words.push(letter);
        } else if !words.ends_with(' ') && !words.is_empty() {
            words.push(' ');
        }
    }
    words.truncate(words.trim_end().len());
    words
}

/// A word, or what a short form of messages stands for; without repeated letters, which nobody spells alike.
fn written_out(word: &str) -> impl Iterator<Item = &str> {
    let meant = SHORT_FORMS.binary_search_by_key(&word, |(short, _)| short).map_or(word, |place| SHORT_FORMS[place].1);
    meant.split(' ').filter(|word| !word.is_empty() && word.len() <= LONGEST)
}

/// A word without what is only seen: `atrazo` and `sertificado` sound as they should.
fn as_heard(word: &str) -> String {
    SOUNDS.iter().fold(word.to_owned(), |word, (written, heard)| word.replace(written, heard))
}

const SOUNDS: &[(&str, &str)] = &[
    ("ss", "s"),
    ("sce", "se"),
    ("sci", "si"),
    ("ce", "se"),
    ("ci", "si"),
    ("z", "s"),
    ("ph", "f"),
    ("y", "i"),
    ("ge", "je"),
    ("gi", "ji"),
    ("ll", "l"),
];

/// A word's stem: what its forms share, as far as that can be told without a dictionary.
#[must_use]
pub fn stem(word: &str) -> String {
    if word.bytes().any(|byte| byte.is_ascii_digit()) || !word.is_ascii() {
        return word.to_owned();
    }
    let mut stem = as_heard(word);
    if stem.len() < 4 {
        return stem;
    }
    for (ending, singular) in PLURALS {
        if stem.len() >= ending.len() + 2
            && let Some(rest) = stem.strip_suffix(ending)
        {
            stem = format!("{rest}{singular}");
            break;
        }
    }
    // The longest ending that leaves something to tell words apart by: `pagamento` is of `pagar`, and `rápido` of no verb.
    let least = |ending: &str| if matches!(ending.len(), 3 | 4) { 4 } else { 3 };
    let ending = ENDINGS.iter().find(|ending| stem.ends_with(**ending) && stem.len() >= ending.len() + least(ending));
    if let Some(ending) = ending {
        stem.truncate(stem.len() - ending.len());
    }
    // `pague` is of `pagar`, `marque` of `marcar`.
    if stem.len() > 3 && stem.ends_with("gu") {
        stem.pop();
    } else if stem.len() > 4 && stem.ends_with("qu") {
        stem.truncate(stem.len() - 2);
        stem.push('c');
    }
    stem
}

const PLURALS: &[(&str, &str)] = &[
    ("oes", "ao"),
    ("aes", "ao"),
    ("ais", "al"),
    ("eis", "el"),
    ("ois", "ol"),
    ("uis", "ul"),
    ("ns", "m"),
    ("res", "r"),
    ("ses", "s"),
    ("s", ""),
];

/// Longest first.
const ENDINGS: &[&str] = &[
    "amentos", "imentos", "amento", "imento", "idade", "icoes", "acoes", "antes", "encia", "ancia", "arao", "erao", "irao",
    "ariam", "eriam", "iriam", "mente", "acao", "icao", "avel", "ivel", "ador", "edor", "idor", "ando", "endo", "indo", "aram",
    "eram", "iram", "aria", "eria", "iria", "asse", "esse", "isse", "amos", "emos", "imos", "ante", "ente", "ismo", "ista",
    "cao", "ava", "ado", "ada", "ido", "ida", "oso", "osa", "ara", "era", "ira", "ar", "er", "ir", "ou", "ei", "eu", "iu", "am",
    "em", "a", "o", "e", "i",
];

/// What an article is found by.
#[derive(Clone, Debug, PartialEq)]
pub struct Indexed {
    /// The title's terms, and those of each question, with a space between.
    pub lines: Vec<String>,
    /// Terms of all of it, each once, and what each weighs.
    pub terms: Vec<String>,
    pub weights: Vec<f32>,
}

/// Terms of one article, at most: those of title and questions, and the answer's first.
const MOST_TERMS: usize = 1_500;

/// What an article is found by. A term weighs more in a short question than in a long one, and least in the answer.
#[must_use]
pub fn indexed(title: &str, questions: &[String], tags: &[String], answer: &str) -> Indexed {
    let mut indexed = Indexed { lines: Vec::new(), terms: Vec::new(), weights: Vec::new() };
    let mut places = std::collections::HashMap::new();
    let mut add = |indexed: &mut Indexed, term: String, weight: f32| {
        if let Some(place) = places.get(&term) {
            let known: &mut f32 = &mut indexed.weights[*place];
            *known = known.max(weight);
        } else if indexed.terms.len() < MOST_TERMS {
            places.insert(term.clone(), indexed.terms.len());
            indexed.terms.push(term);
            indexed.weights.push(weight);
        }
    };
    for line in std::iter::once(title).chain(questions.iter().map(String::as_str)) {
        let words = distinct(line);
        let length = f32::from(u16::try_from(words.len().max(1)).unwrap_or(u16::MAX));
        indexed.lines.push(words.join(" "));
        for word in words {
            add(&mut indexed, word, 1.0 / length.sqrt());
        }
    }
    for word in tags.iter().flat_map(|tag| distinct(tag)) {
        add(&mut indexed, word, 0.4);
    }
    for word in distinct(answer) {
        add(&mut indexed, word, 0.2);
    }
    indexed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(words: &[&str]) {
        let stems: Vec<Vec<String>> = words.iter().map(|word| terms(word)).collect();
        assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{words:?}: {stems:?}");
    }

    #[test]
    fn forms_of_a_word_are_one_term() {
        same(&["matrícula", "matricula", "matrículas", "matricular", "matriculei", "MATRICULADO"]);
        same(&["inscrição", "inscricao", "inscrições", "inscricoes"]);
        same(&["pagamento", "pagar", "pago", "pague", "paguei", "pagamentos"]);
        same(&["mensalidade", "mensalidades", "mensal"]);
        same(&["professor", "professora", "professores"]);
        same(&["certificado", "certificados", "certificação"]);
        same(&["cancelar", "cancelamento", "cancelei", "cancelo"]);
        same(&["cartão", "cartões", "cartao"]);
        same(&["falta", "faltei", "faltar", "faltas"]);
        same(&["atraso", "atrazo", "atrasos"]);
        same(&["certificado", "sertificado"]);
        same(&["vez", "vezes"]);
    }

    #[test]
    fn words_that_mean_something_else_stay_apart() {
        for (one, other) in [("curso", "custo"), ("parcela", "parceria"), ("prova", "professor"), ("conta", "contrato")] {
            assert_ne!(terms(one), terms(other));
        }
    }

    #[test]
    fn what_says_nothing_is_left_out_and_short_forms_are_written_out() {
        assert_eq!(terms("Oi, bom dia! Vcs têm aula aos sábados?"), terms("aula sabado"));
        assert_eq!(terms("qto custa o pgto no boleto hj"), terms("quanto custa pagamento boleto hoje"));
        assert_eq!(terms("2ª via"), terms("segunda via"));
        assert_eq!(terms("de a o e ?!"), Vec::<String>::new());
    }

    #[test]
    fn short_forms_are_in_order() {
        assert!(SHORT_FORMS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_term_weighs_most_where_it_says_most() {
        let article =
            indexed("Boleto", &["Como pago o boleto em atraso?".into()], &["financeiro".into()], "Fale com a secretaria.");
        assert_eq!(article.lines.len(), 2);
        let weight = |word: &str| {
            let term = &terms(word)[0];
            article.terms.iter().position(|known| known == term).map(|place| article.weights[place])
        };
        assert!(weight("boleto") > weight("atraso") && weight("atraso") > weight("financeiro"));
        assert!(weight("financeiro") > weight("secretaria"));
        assert_eq!(weight("certificado"), None);
    }

    proptest! {
        #[test]
        fn any_text_has_terms_and_no_strange_ones(text in any::<String>()) {
            for term in terms(&text) {
                prop_assert!(!term.is_empty() && term.len() <= LONGEST && !term.contains(' '), "{term:?}");
            }
        }
    }
}
