//! How well an article answers a question: a pure rule over terms.
//!
//! The score is the part of what was asked that the article speaks of, in words of its own or in others. It is measured against the question
//! alone, and a word that no article has counts as much as the rarest one, so that 0.6 means the same for every question and company.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value};
use strsim::osa_distance;
use uuid::Uuid;

use crate::{
    vocabulary::{ALIKE, WEAK},
    words,
};

/// What a term that means nearly the same counts.
const SYNONYM: f32 = 0.85;
/// What another line of the article, and its answer, count beside the line that is most alike.
const OTHER_LINE: f32 = 0.8;
const ANSWER: f32 = 0.6;
/// How much of the score is for speaking of nothing else.
const FOCUS: f32 = 0.22;
/// What use may add or take away, at most.
const USE: f32 = 0.06;
/// Uses that count half of that.
const USES: f32 = 5.0;

/// A question in terms, with what means the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Its terms in their order, each once.
    pub terms: Vec<String>,
}

/// Of each term those that mean nearly the same.
static SYNONYMS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
    for group in ALIKE {
        let terms: Vec<String> = group.iter().flat_map(|word| words::terms(word)).collect();
        for term in &terms {
            let known = synonyms.entry(term.clone()).or_default();
            for other in &terms {
                if other != term && !known.contains(other) {
                    known.push(other.clone());
                }
            }
        }
    }
    synonyms
});

fn alike(term: &str) -> &'static [String] {
    SYNONYMS.get(term).map_or(&[], Vec::as_slice)
}

impl Question {
    /// Questions are cut where nobody asks on.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut terms = words::distinct(text);
        terms.truncate(24);
        Self { terms }
    }

    /// What is looked for by index, and how much each term counts.
    #[must_use]
    pub fn asked(&self) -> (Vec<String>, Vec<f32>) {
        let mut asked: Vec<String> = self.terms.clone();
        let mut factors = vec![1.0; asked.len()];
        for other in self.terms.iter().flat_map(|term| alike(term)) {
            if !asked.contains(other) {
                asked.push(other.clone());
                factors.push(SYNONYM);
            }
        }
        (asked, factors)
    }

    /// Sequences of two and three of its terms, for the company's synonyms.
    #[must_use]
    pub fn phrases(&self) -> Vec<String> {
        [2, 3].into_iter().flat_map(|length| self.terms.windows(length).map(|some| some.join(" "))).collect()
    }
}

/// What `app.find_knowledge` answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Candidates {
    /// Articles of the company.
    pub count: u32,
    /// Of each term the articles that have it.
    pub counts: HashMap<String, u32>,
    /// Of terms that none has, those that are spelled like them.
    pub alike: HashMap<String, Vec<String>>,
    /// Of terms and sequences of them, what means the same in this company.
    pub synonyms: HashMap<String, Vec<String>>,
    pub articles: Vec<Candidate>,
}

/// An article that may be the answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Candidate {
    pub id: Uuid,
    pub lines: Vec<String>,
    pub terms: Vec<String>,
    pub helped: u32,
    pub not_helped: u32,
}

/// One thing that is asked for: the terms by which it may be found, and what each counts.
struct Wish {
    ways: Vec<(String, f32)>,
    weight: f32,
}

impl Wish {
    /// How well some terms speak of it.
    fn met_by(&self, has: impl Fn(&str) -> bool) -> f32 {
        self.ways.iter().filter(|(term, _)| has(term)).map(|(_, quality)| *quality).fold(0.0, f32::max)
    }
}

impl Candidates {
    /// Of each article how well it answers, best first.
    #[must_use]
    pub fn judged(&self, question: &Question) -> Vec<(Uuid, f32)> {
        let wishes = self.wishes(question);
        let mut judged: Vec<(Uuid, f32)> = self.articles.iter().map(|article| (article.id, article.score(&wishes))).collect();
        judged.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        judged
    }

    fn wishes(&self, question: &Question) -> Vec<Wish> {
        let phrases = question.phrases();
        let wish = |term: &String| {
            let mut ways = vec![(term.clone(), 1.0)];
            let mut add = |other: &String, quality: f32| {
                if !ways.iter().any(|(known, _)| known == other) {
                    ways.push((other.clone(), quality));
                }
            };
            let said = std::iter::once(term).chain(phrases.iter().filter(|phrase| phrase.split(' ').any(|word| word == term)));
            for other in said.filter_map(|phrase| self.synonyms.get(phrase)).flatten() {
                add(other, 0.9);
            }
            for other in alike(term) {
                add(other, SYNONYM);
            }
            for written in self.alike.get(term).into_iter().flatten() {
                let quality = spelled(term, written);
                if quality > 0.0 {
                    add(written, quality);
                    for other in alike(written) {
                        add(other, quality * SYNONYM);
                    }
                }
            }
            let weight = self.weight(&ways);
            Wish { ways, weight }
        };
        question.terms.iter().map(wish).collect()
    }

    /// How much it tells articles apart: what all have says little, what none has is meant all the same.
    fn weight(&self, ways: &[(String, f32)]) -> f32 {
        let count = |(term, _): &(String, f32)| self.counts.get(term).copied().unwrap_or(0);
        // The term itself where it is there, else the way that most go.
        let articles = match count(&ways[0]) {
            0 => ways[1..].iter().map(count).max().unwrap_or(0),
            own => own,
        };
        let [all, having] = [self.count.max(20), articles].map(real);
        let part = if WEAK.contains(&ways[0].0.as_str()) { 0.4 } else { 1.0 };
        part * if articles == 0 { 0.9 } else { ((1.0 + all / having).ln() / (1.0 + all).ln()).clamp(0.15, 1.0) }
    }
}

fn real(count: u32) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// How likely it is that somebody meant another word; 0 when nobody would.
fn spelled(meant: &str, written: &str) -> f32 {
    let [length, other] = [meant, written].map(|word| word.chars().count());
    let slips = osa_distance(meant, written);
    let allowed = match length.max(other) {
        0..=4 => 0,
        5..=7 => 1,
        _ => 2,
    };
    if slips > allowed {
        return 0.0;
    }
    0.95 - 0.1 * real(u32::try_from(slips).unwrap_or(9))
}

impl Candidate {
    /// Between 0 and 1.
    fn score(&self, wishes: &[Wish]) -> f32 {
        let total: f32 = wishes.iter().map(|wish| wish.weight).sum();
        if total <= 0.0 {
            return 0.0;
        }
        let in_lines: Vec<Vec<f32>> = self
            .lines
            .iter()
            .map(|line| wishes.iter().map(|wish| wish.met_by(|term| line.split(' ').any(|word| word == term))).collect())
            .collect();
        let in_any_line = |place: usize| in_lines.iter().map(|line| line[place]).fold(0.0, f32::max);
        let elsewhere: Vec<f32> = (0..wishes.len())
            .map(|place| {
                let in_answer = wishes[place].met_by(|term| self.terms.iter().any(|word| word == term));
                (OTHER_LINE * in_any_line(place)).max(ANSWER * in_answer)
            })
            .collect();
        let of_line = |(line, met): (&String, &Vec<f32>)| {
            let covered: f32 =
                wishes.iter().zip(met).zip(&elsewhere).map(|((wish, own), other)| wish.weight * own.max(*other)).sum();
            let said = line.split(' ').filter(|word| !word.is_empty());
            let (words, spoken) = said.fold((0u32, 0u32), |(words, spoken), word| {
                let is_asked = wishes.iter().any(|wish| wish.met_by(|term| term == word) > 0.0);
                (words + 1, spoken + u32::from(is_asked))
            });
            let focus = if words == 0 { 0.0 } else { real(spoken) / real(words) };
            covered / total * (1.0 - FOCUS + FOCUS * focus)
        };
        let best = self.lines.iter().zip(&in_lines).map(of_line).fold(0.0, f32::max);
        (best * (1.0 + self.used())).clamp(0.0, 1.0)
    }

    /// What those who used it say, within bounds.
    fn used(&self) -> f32 {
        let [helped, not_helped] = [self.helped, self.not_helped].map(real);
        USE * (helped - not_helped) / (helped + not_helped + USES)
    }
}

/// How alike two embeddings are, from 0 to 1; `None` where they cannot be compared.
#[must_use]
pub fn likeness(one: &[f32], other: &[f32]) -> Option<f32> {
    if one.len() != other.len() || one.is_empty() {
        return None;
    }
    let product = |left: &[f32], right: &[f32]| -> f32 { left.iter().zip(right).map(|(left, right)| left * right).sum() };
    let length = product(one, one).sqrt() * product(other, other).sqrt();
    (length.is_finite() && length > 0.0).then(|| (product(one, other) / length).clamp(0.0, 1.0))
}

/// Embeddings of texts that have nothing in common are this alike, and those of one text this much.
const UNLIKE: f32 = 0.25;
const SAME: f32 = 0.85;

/// A score by words and a likeness by meaning as one: neither takes away from the other, and the meaning alone does not make certain.
#[must_use]
pub fn together(by_words: f32, likeness: Option<f32>) -> f32 {
    let Some(likeness) = likeness else { return by_words };
    let by_meaning = ((likeness - UNLIKE) / (SAME - UNLIKE)).clamp(0.0, 1.0);
    (by_words + (1.0 - by_words) * 0.75 * by_meaning * by_meaning).clamp(0.0, 1.0)
}

/// The signs of an embedding, as Postgres reads them.
#[must_use]
pub fn signs(embedding: &[f32]) -> String {
    embedding.iter().map(|part| if *part > 0.0 { '1' } else { '0' }).collect()
}

/// Reads what the database answers.
///
/// # Errors
/// When it is something else, which is a mistake of ours.
pub fn read(found: Value) -> Result<Candidates, serde_json::Error> {
    serde_json::from_value(if found.is_null() { Value::Object(Map::new()) } else { found })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::words::indexed;

    /// Articles as the database would answer them to a question, whatever the index leaves out.
    fn candidates(question: &Question, articles: &[(Uuid, words::Indexed)]) -> Candidates {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for term in articles.iter().flat_map(|(_, indexed)| &indexed.terms) {
            *counts.entry(term.clone()).or_default() += 1;
        }
        let is_like = |term: &&String, known: &&String| spelled(term, known) > 0.0;
        let alike = question
            .terms
            .iter()
            .filter(|term| !counts.contains_key(*term) && term.len() > 3)
            .map(|term| (term.clone(), counts.keys().filter(|known| is_like(&term, known)).cloned().collect()))
            .collect();
        let articles = articles.iter().map(|(id, indexed)| Candidate {
            id: *id,
            lines: indexed.lines.clone(),
            terms: indexed.terms.clone(),
            helped: 0,
            not_helped: 0,
        });
        let articles: Vec<Candidate> = articles.collect();
        Candidates { count: u32::try_from(articles.len()).unwrap(), counts, alike, synonyms: HashMap::new(), articles }
    }

    fn texts(value: &Value) -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_set_is_answered() {
        let set: Value = serde_json::from_str(include_str!("../../../bench/knowledge.json")).unwrap();
        let mut keys = HashMap::new();
        let mut articles = Vec::new();
        for (number, article) in set["articles"].as_array().unwrap().iter().enumerate() {
            let id = Uuid::from_u128(number as u128);
            let [title, answer] = ["title", "answer"].map(|field| article[field].as_str().unwrap());
            keys.insert(id, article["key"].as_str().unwrap());
            articles.push((id, indexed(title, &texts(&article["questions"]), &texts(&article["tags"]), answer)));
        }
        let (mut asked, mut first, mut third) = (0.0, 0.0, 0.0);
        for question in set["questions"].as_array().unwrap() {
            let (text, answers) = (question["question"].as_str().unwrap(), texts(&question["answers"]));
            let question = Question::new(text);
            let judged = candidates(&question, &articles).judged(&question);
            let best: Vec<(&str, f32)> = judged.iter().take(3).map(|(id, score)| (keys[id], *score)).collect();
            if answers.is_empty() {
                println!("nothing {:.2} {text}: {:?} {:?}", best[0].1, best, question.terms);
                continue;
            }
            let place = judged.iter().position(|(id, _)| answers.iter().any(|key| key == keys[id]));
            asked += 1.0;
            first += f32::from(u8::from(place == Some(0)));
            third += f32::from(u8::from(place.is_some_and(|place| place < 3)));
            if place != Some(0) {
                println!("{place:?} {text}: {best:?} {:?}", question.terms);
            } else if best[0].1 < 0.5 {
                println!("low {:.2} {text}", best[0].1);
            }
        }
        println!("recall@1 {} recall@3 {}", first / asked, third / asked);
        assert!(third / asked >= 0.9);
    }

    #[test]
    fn a_score_is_of_the_question_whatever_the_company_has() {
        let article = |title: &str| indexed(title, &[], &[], "Texto.");
        let mut few = vec![(Uuid::from_u128(1), article("Segunda via do boleto"))];
        let question = Question::new("segunda via do boleto");
        let alone = candidates(&question, &few).judged(&question)[0].1;
        few.extend((2..500).map(|number| (Uuid::from_u128(number), article(&format!("Assunto {number}")))));
        let among = candidates(&question, &few).judged(&question)[0].1;
        assert!((alone - among).abs() < 0.02 && alone > 0.95, "{alone} {among}");
    }

    #[test]
    fn use_moves_a_score_within_bounds() {
        let mut article = Candidate { id: Uuid::nil(), lines: vec!["x".into()], terms: vec![], helped: 0, not_helped: 0 };
        let mut seen = HashSet::new();
        for (helped, not_helped) in [(0, 0), (9_000, 0), (0, 9_000), (5, 5)] {
            (article.helped, article.not_helped) = (helped, not_helped);
            assert!(article.used().abs() <= USE);
            seen.insert(article.used().to_bits());
        }
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn embeddings_are_compared_with_their_like() {
        assert_eq!(likeness(&[1.0, 0.0], &[2.0, 0.0]), Some(1.0));
        assert_eq!(likeness(&[1.0, 0.0], &[1.0]), None);
        assert_eq!(likeness(&[0.0, 0.0], &[1.0, 0.0]), None);
        assert_eq!(signs(&[0.5, -0.5, 0.0]), "100");
        assert!((together(0.4, None) - 0.4).abs() < f32::EPSILON);
        assert!(together(0.4, Some(0.9)) > 0.8 && together(0.4, Some(0.1)) < 0.41);
    }
}
