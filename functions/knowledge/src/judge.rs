//! What could be better about articles: pure rules over their terms.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::words::distinct;

/// Lines this alike ask the same.
const SAME_QUESTION: f32 = 0.74;
/// Answers this alike say the same.
const SAME_ANSWER: f32 = 0.5;

/// An article as it is compared.
#[derive(Clone, Debug)]
pub struct Compared {
    pub id: Uuid,
    pub version: i32,
    /// The stems of the title and of each question.
    lines: Vec<BTreeSet<String>>,
    answer: BTreeSet<String>,
    /// Amounts, percentages, dates and times that the answer names.
    figures: BTreeSet<String>,
}

impl Compared {
    #[must_use]
    pub fn new(id: Uuid, version: i32, lines: &[String], answer: &str) -> Self {
        let stems = |line: &String| line.split(' ').filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect();
        Self {
            id,
            version,
            lines: lines.iter().map(stems).filter(|line: &BTreeSet<String>| !line.is_empty()).collect(),
            answer: distinct(answer).into_iter().collect(),
            figures: figures(answer),
        }
    }
}

/// The figures of a text: numbers with what makes them an amount, a share, a date or a time.
#[must_use]
pub fn figures(text: &str) -> BTreeSet<String> {
    let signs = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | ',' | '/' | ':' | '%');
    let mut figures = BTreeSet::new();
    for part in text.split(|sign: char| !signs(sign)) {
        let part = part.trim_matches(['.', ',', '/', ':']);
        if part.bytes().any(|byte| byte.is_ascii_digit()) {
            let whole = part.strip_suffix(",00").unwrap_or(part);
            figures.insert(whole.replace('.', ""));
        }
    }
    figures
}

/// What two articles are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They say the same.
    Duplicate,
    /// They answer one question with other figures.
    Contradiction,
}

/// A pair of articles of which one is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub one: Uuid,
    pub other: Uuid,
    pub relation: Relation,
    /// How alike their questions are, from 0 to 1.
    pub likeness: f32,
}

fn likeness(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f32 {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    if all == 0 { 0.0 } else { part(shared, all) }
}

fn part(some: usize, all: usize) -> f32 {
    let [some, all] = [some, all].map(|count| f32::from(u16::try_from(count).unwrap_or(u16::MAX)));
    some / all
}

/// Pairs of articles that ask the same. Each line is compared only with those that have its rarest term.
#[must_use]
pub fn pairs(articles: &[Compared]) -> Vec<Pair> {
    let mut places: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for (article, compared) in articles.iter().enumerate() {
        for (line, terms) in compared.lines.iter().enumerate() {
            for term in terms {
                places.entry(term).or_default().push((article, line));
            }
        }
    }
    let mut best: HashMap<(usize, usize), f32> = HashMap::new();
    for (article, compared) in articles.iter().enumerate() {
        for line in &compared.lines {
            // Of so many of its terms the other line has one at least, if they are so alike; the rarest are looked at.
            let mut rarest: Vec<&String> = line.iter().collect();
            rarest.sort_by_key(|term| places[term.as_str()].len());
            rarest.truncate(1 + line.len() / 3);
            let mut looked: HashSet<(usize, usize)> = HashSet::new();
            for term in rarest {
                for (other, place) in places[term.as_str()].iter().copied().filter(|(other, _)| *other > article) {
                    if looked.insert((other, place)) {
                        let alike = likeness(line, &articles[other].lines[place]);
                        if alike >= SAME_QUESTION {
                            let known = best.entry((article, other)).or_default();
                            *known = known.max(alike);
                        }
                    }
                }
            }
        }
    }
    let mut pairs: Vec<Pair> = best
        .into_iter()
        .filter_map(|((one, other), likeness)| {
            let relation = relation(&articles[one], &articles[other], likeness)?;
            Some(Pair { one: articles[one].id, other: articles[other].id, relation, likeness })
        })
        .collect();
    pairs.sort_by(|one, other| other.likeness.total_cmp(&one.likeness).then((one.one, one.other).cmp(&(other.one, other.other))));
    pairs
}

fn relation(one: &Compared, other: &Compared, questions: f32) -> Option<Relation> {
    if !one.figures.is_empty() && !other.figures.is_empty() && one.figures != other.figures {
        // One that names more of the same is no contradiction.
        let is_more = one.figures.is_subset(&other.figures) || other.figures.is_subset(&one.figures);
        return Some(if is_more { Relation::Duplicate } else { Relation::Contradiction });
    }
    (likeness(&one.answer, &other.answer) >= SAME_ANSWER || questions >= 0.99).then_some(Relation::Duplicate)
}

/// What people looked for and did not find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The terms that all of them share, in short.
    pub key: String,
    /// As it was asked, the most frequent first.
    pub questions: Vec<String>,
    pub count: usize,
}

/// Groups what was asked by what it asks for; those of a few are left out.
#[must_use]
pub fn gaps(asked: &[String], least: usize) -> Vec<Gap> {
    let mut groups: Vec<(BTreeSet<String>, Vec<&str>)> = Vec::new();
    for question in asked {
        let terms: BTreeSet<String> = distinct(question).into_iter().collect();
        // One word is no question, and very many are a story.
        if terms.is_empty() || terms.len() > 16 {
            continue;
        }
        match groups.iter().position(|(known, _)| likeness(known, &terms) >= 0.5) {
            Some(place) => groups[place].1.push(question),
            None => groups.push((terms, vec![question])),
        }
    }
    let mut gaps: Vec<Gap> = groups
        .into_iter()
        .filter(|(_, questions)| questions.len() >= least)
        .map(|(terms, questions)| {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            for question in &questions {
                *counts.entry(question.trim()).or_default() += 1;
            }
            let mut distinct: Vec<(&str, usize)> = counts.into_iter().collect();
            distinct.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
            Gap {
                key: terms.into_iter().collect::<Vec<_>>().join(" "),
                questions: distinct.into_iter().take(10).map(|(question, _)| question.to_owned()).collect(),
                count: questions.len(),
            }
        })
        .collect();
    gaps.sort_by(|one, other| other.count.cmp(&one.count).then(one.key.cmp(&other.key)));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::indexed;

    fn article(id: u128, title: &str, answer: &str) -> Compared {
        Compared::new(Uuid::from_u128(id), 1, &indexed(title, &[], &[], answer).lines, answer)
    }

    #[test]
    fn the_same_question_with_other_figures_is_a_contradiction() {
        let articles = [
            article(1, "Quanto custa o curso de inglês?", "Custa R$ 389,00 por mês."),
            article(2, "Quanto custa o curso de inglês", "O curso sai por R$ 420,00."),
            article(3, "Custo do inglês: quanto é o curso", "Custa R$ 389 por mês."),
            article(4, "Quanto custa o curso de espanhol?", "Custa R$ 349,00 por mês."),
        ];
        let found: Vec<(u128, u128, Relation)> =
            pairs(&articles).iter().map(|pair| (pair.one.as_u128(), pair.other.as_u128(), pair.relation)).collect();
        assert!(found.contains(&(1, 2, Relation::Contradiction)), "{found:?}");
        assert!(found.contains(&(1, 3, Relation::Duplicate)), "{found:?}");
        assert!(found.iter().all(|(one, other, _)| *one != 4 && *other != 4), "{found:?}");
    }

    #[test]
    fn figures_are_amounts_shares_and_times() {
        let read: Vec<String> = figures("R$ 1.200,00 ou 10% até 31/12/2026, das 9h às 20:30.").into_iter().collect();
        assert_eq!(read, ["10%", "1200", "20:30", "31/12/2026", "9"]);
        assert_eq!(figures("R$ 389,00"), figures("R$ 389"));
        assert!(figures("sem números").is_empty());
    }

    #[test]
    fn what_is_asked_often_is_one_gap() {
        let asked = ["tem piscina?", "vocês têm piscina", "piscina", "tem estacionamento"].map(str::to_owned);
        let gaps = gaps(&asked, 2);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].count, gaps[0].questions.len()), (3, 3));
    }
}
