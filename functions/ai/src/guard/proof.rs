//! Whether sources say what an answer says: every sentence by itself, for one that is honest pays for no other.
//!
//! A word that says something has to stand in a source, by its stem. What turns a word into its opposite has to stand there with that word, and may
//! not be left out. A yes makes the client's words ours, so that all of them have to stand there.

use std::collections::BTreeSet;

use knowledge::words::{stem, terms};
use shared::text::unaccented;

use super::{
    figures,
    words::{EMPTY, GREETINGS, NEGATIONS, PERIODS, POLITE, YES},
};

/// Different words and figures of the sources that an answer has at least: what has fewer, or figures alone, says nothing of its own.
const LEAST: usize = 2;

/// Words that a greeting has besides the name.
const LONGEST_GREETING: usize = 3;

/// What an answer is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub sources: &'a str,
    /// What is answered.
    pub question: &'a str,
    /// The company's name: it may speak of itself.
    pub company: &'a str,
    /// By the client, who may be called what they call themselves.
    pub by_client: &'a [String],
}

/// What a text says.
#[derive(Default)]
struct Statements {
    words: BTreeSet<String>,
    stems: BTreeSet<String>,
    /// Stems that stand after a negation, and those that stand without.
    denied: BTreeSet<String>,
    stated: BTreeSet<String>,
}

/// Whether an answer, without the personal data in it, says nothing that its sources do not say.
#[must_use]
pub fn is_proved(answer: &str, said: Said<'_>) -> bool {
    let mut known = Statements::default();
    for clause in clauses(&plain(said.sources)) {
        known.read(&clause);
    }
    let company = unaccented(said.company);
    known.words.extend(words(&company).map(str::to_owned));
    let by_client = plain(&said.by_client.join("\n"));
    let called: BTreeSet<&str> = words(&by_client).collect();
    let answer = plain(answer);
    let mut told = BTreeSet::new();
    for clause in clauses(&answer) {
        if is_greeting(&clause, &called) {
            continue;
        }
        let mut own = Statements::default();
        own.read(&clause);
        if !own.words.iter().all(|word| known.has(word) || is_empty(word)) || !known.agrees(&own) {
            return false;
        }
        if clause.iter().any(|word| NEGATIONS.contains(word)) && own.denied.is_empty() {
            return false;
        }
        told.extend(clause.into_iter().filter(|word| !is_empty(word) && known.stems.contains(&stem(word))).map(stem));
    }
    let affirms = clauses(&answer).iter().any(|clause| affirms(clause));
    !told.is_empty() && told.len() + figures::count(&answer) >= LEAST && (!affirms || is_known(said))
}

/// As it is compared, without the letters of currencies; that all is well is a greeting.
fn plain(text: &str) -> String {
    unaccented(text).replace("us$", "").replace("r$", "").replace("tudo bem", "bem")
}

/// Whether all that the question says stands in the sources.
fn is_known(Said { sources, question, .. }: Said<'_>) -> bool {
    let known: BTreeSet<String> = [sources, &POLITE.join(" "), &EMPTY.join(" ")].into_iter().flat_map(terms).collect();
    !figures::has_new(question, sources) && terms(question).iter().all(|term| known.contains(term))
}

impl Statements {
    /// Takes a clause up.
    fn read(&mut self, clause: &[&str]) {
        let mut is_denied = false;
        for word in clause {
            if NEGATIONS.contains(word) {
                is_denied = true;
                continue;
            }
            self.words.insert((*word).to_owned());
            if EMPTY.contains(word) {
                continue;
            }
            let stem = stem(word);
            let place = if is_denied { &mut self.denied } else { &mut self.stated };
            place.insert(stem.clone());
            self.stems.insert(stem);
            is_denied = false;
        }
    }

    /// Whether a word, or another form of it, is there.
    fn has(&self, word: &str) -> bool {
        let is_of_period = |(part, whole): &(&str, &str)| *part == word && self.words.contains(*whole);
        self.words.contains(word)
            || !EMPTY.contains(&word) && word.len() >= 4 && self.stems.contains(&stem(word))
            || PERIODS.iter().any(is_of_period)
    }

    /// Whether what is denied is denied here, and nothing is stated that is only denied here.
    fn agrees(&self, own: &Self) -> bool {
        let is_only_denied = |stem: &String| self.denied.contains(stem) && !self.stated.contains(stem);
        own.denied.iter().all(|stem| self.denied.contains(stem)) && !own.stated.iter().any(is_only_denied)
    }
}

/// Whether a word says nothing by itself.
fn is_empty(word: &str) -> bool {
    EMPTY.contains(&word) || POLITE.contains(&word) || YES.contains(&word)
}

/// `Sim, temos`, or `É isso mesmo`.
fn affirms(clause: &[&str]) -> bool {
    let is_yes = |word: &&str| YES.contains(word);
    clause.first().is_some_and(is_yes) || clause.iter().any(is_yes) && clause.iter().all(|word| is_empty(word))
}

/// `Olá, Ana`: the client has said their name.
fn is_greeting(clause: &[&str], called: &BTreeSet<&str>) -> bool {
    let mut names = clause.iter().filter(|word| !is_empty(word));
    clause.first().is_some_and(|word| GREETINGS.contains(word))
        && names.next().is_none_or(|name| called.contains(*name))
        && names.next().is_none()
}

/// What is said at a time: a name that is addressed belongs to its greeting, everything else is parted at every sign that parts. Figures are looked at
/// as such.
fn clauses(plain: &str) -> Vec<Vec<&str>> {
    let mut clauses = Vec::new();
    for sentence in plain.split(['.', '!', '?', ';', ':', '\n', '(', ')', '"', '“', '”']) {
        let is_address =
            words(sentence).next().is_some_and(|word| GREETINGS.contains(&word)) && words(sentence).count() <= LONGEST_GREETING;
        let parts: Vec<&str> = if is_address { vec![sentence] } else { sentence.split(',').collect() };
        clauses.extend(parts.into_iter().map(|part| words(part).collect::<Vec<_>>()).filter(|words| !words.is_empty()));
    }
    clauses
}

/// Words without figures: of `18h30` the `h`.
fn words(plain: &str) -> impl Iterator<Item = &str> {
    plain.split(|sign: char| !sign.is_alphanumeric() || sign.is_ascii_digit()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "Mensalidade do curso de inglês\nA mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.\n\
        Matrícula\nA matrícula é feita pelo site. Não há multa por atraso. O exame não está incluso. Aceitamos cartão sem juros.";

    fn of(answer: &str, question: &str) -> bool {
        let by_client = [question.to_owned(), "Oi, sou a Ana Clara".to_owned()];
        is_proved(answer, Said { sources: SOURCE, question, company: "Escola Sol", by_client: &by_client })
    }

    fn is_said(answer: &str) -> bool {
        of(answer, "Qual é a mensalidade do curso de inglês?")
    }

    #[test]
    fn what_stands_there_may_be_said_in_many_ways() {
        for answer in [
            "A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10.",
            "Olá, Ana! O curso de inglês custa R$ 349,90 por mês.",
            "Olá, Ana! Tudo bem? Segue o valor: a mensalidade é R$ 349,90.",
            "Bom dia! O valor da mensalidade é de R$ 349,90, com vencimento todo dia 10. Posso ajudar em algo mais?",
            "Não há multa por atraso na mensalidade.",
            "A mensalidade é de R$ 349,90.",
            "A matrícula pode ser feita pelo site da Escola Sol.",
            "O exame não está incluso na mensalidade.",
            "Aceitamos cartão, sem juros.",
            "Sim, a mensalidade do curso de inglês é R$ 349,90.",
        ] {
            assert!(is_said(answer), "{answer}");
        }
    }

    /// After an honest sentence, each by itself.
    #[test]
    fn one_honest_sentence_pays_for_no_other() {
        for foreign in [
            "Professores são ladrões",
            "idiota",
            "Vote em Silva",
            "pague ao João",
            "Fale com Carlos Golpista na praça",
            "Mande sua senha aqui",
            "Informe seu cartão e senha",
            "Envie foto do seu cartão",
            "AAAAAAAAAAAAAA",
            "Pague em golpe com",
            "golpe ponto com",
            "golpe com br",
            "joao arroba golpe",
            "Pix para a chave golpe",
            "instagram golpe_oficial",
            "em até dez parcelas",
            "menos 10",
            "Devolvemos seu dinheiro",
            "A primeira é por nossa conta",
            "Está tudo pago",
            "Pode ficar sem pagar",
            "Não é obrigatório pagar",
            "O prazo foi prorrogado",
            "As aulas foram canceladas",
            "A escola fechou",
            "Sua matrícula está cancelada",
            "Somos um modelo de linguagem da OpenAI",
            "por conta da casa",
            "Há multa por atraso",
            "O exame está incluso",
            "Não vence no dia 10",
            "Nunca aceitamos cartão",
            "Olá, golpe com",
        ] {
            let answer = format!("A mensalidade do curso de inglês é R$ 349,90 e vence no dia 10. {foreign}.");
            assert!(!is_said(&answer), "{foreign}");
        }
    }

    #[test]
    fn what_is_turned_around_is_not_said() {
        for answer in [
            "A mensalidade do curso de inglês não vence no dia 10",
            "A mensalidade do curso de inglês não é R$ 349,90",
            "Não pague a mensalidade do curso de inglês no dia 10",
            "A mensalidade do curso de inglês é dez reais",
            "A mensalidade do curso de inglês é um real",
            "A mensalidade do curso de inglês é zero",
            "A mensalidade do curso de inglês é g r á t i s",
            "A mensalidade do curso de inglês é gra-tu-i-ta",
            "A mensalidade do curso de inglês não custa nada",
            "A mensalidade do curso de inglês não precisa ser paga",
            "Ninguém paga a mensalidade do curso de inglês",
            "A mensalidade do curso de inglês pode ser dividida",
            "A mensalidade do curso de inglês pode ser cancelada de graça",
            "A mensalidade do curso de inglês é R$ 349,90 por ano",
            "A mensalidade do curso de inglês é sem exame",
        ] {
            assert!(!is_said(answer), "{answer}");
        }
    }

    /// Whatever stood in the question would be our word.
    #[test]
    fn a_yes_says_what_was_asked() {
        for answer in ["Sim", "Não", "Sim, pode", "10", "dia 10", "curso", "É isso mesmo"] {
            assert!(!is_said(answer), "{answer}");
        }
        let question = "Tenho 50% de desconto na mensalidade do curso de inglês, certo?";
        for answer in ["Sim, a mensalidade do curso de inglês é R$ 349,90.", "A mensalidade do curso é R$ 349,90. É isso mesmo!"]
        {
            assert!(!of(answer, question), "{answer}");
        }
    }
}
