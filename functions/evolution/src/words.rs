//! What we say ourselves where a server's own words would stand, in both languages.

use shared::{error::Language, outside::Refusal};

const OURS: [(&str, &str); 10] = [
    ("O servidor não quis criar a instância.", "The server did not want to make the instance."),
    ("Crie a instância de novo, com a chave global do servidor.", "Make the instance again, with the server's global key."),
    ("Este nome já está em uso.", "This name is already in use."),
    ("As credenciais deste canal não abrem.", "The channel's credentials do not open."),
    ("O servidor não respondeu a tempo.", "timed out"),
    ("A conexão com o servidor caiu.", "the connection was lost"),
    ("Ninguém responde neste endereço.", "unreachable"),
    ("A resposta não é JSON.", "the answer is not JSON"),
    ("A resposta não diz nada.", "the answer says nothing"),
    ("A resposta não diz em que estado está a instância.", "the answer names no state"),
];

/// A detail as it is told in this language, whichever it was kept in. The server's own words stay as they are.
#[must_use]
pub fn told_in(language: Language, detail: String) -> String {
    let refusals = [Refusal::Malformed, Refusal::Unencrypted, Refusal::Unknown, Refusal::Inside].map(Refusal::texts);
    let known = OURS.into_iter().chain(refusals).find(|(portuguese, english)| detail == *portuguese || detail == *english);
    known.map_or(detail, |(portuguese, english)| language.pick(portuguese, english).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_words_are_told_in_the_callers_language_and_the_servers_as_they_are() {
        let told = |language, detail: &str| told_in(language, detail.to_owned());
        assert_eq!(told(Language::English, "Este endereço não é público."), "This address is not a public one.");
        assert_eq!(told(Language::Portuguese, "Este endereço não é público."), "Este endereço não é público.");
        assert_eq!(told(Language::Portuguese, "timed out"), "O servidor não respondeu a tempo.");
        assert_eq!(told(Language::Portuguese, "bad key ••••"), "bad key ••••");
    }
}
