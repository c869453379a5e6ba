//! What mails say, in Portuguese and in English.

use serde_json::Value;
use shared::mail::Template;

use super::letter::Letter;

/// The letter of a template. Of what `data` lacks, the sentence goes without.
#[expect(clippy::too_many_lines, reason = "a table of letters")]
pub fn of(template: Template, locale: &str, company: &str, name: &str, data: &Value) -> Letter {
    let is_english = locale.starts_with("en");
    let say = |portuguese: String, english: String| if is_english { english } else { portuguese };
    let fact = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
    let (subject, paragraphs, button) = match template {
        Template::Invite => (
            say(format!("Convite para {company}"), format!("Invitation to {company}")),
            vec![
                match fact("inviter") {
                    "" => say(format!("Você foi convidado para {company}."), format!("You have been invited to {company}.")),
                    who => say(format!("{who} convidou você para {company}."), format!("{who} has invited you to {company}.")),
                },
                say(
                    "O convite vale por 7 dias e só pode ser usado uma vez.".into(),
                    "The invitation is good for 7 days and can be used once.".into(),
                ),
            ],
            Some(if is_english { "Accept the invitation" } else { "Aceitar o convite" }),
        ),
        Template::PasswordReset => (
            say("Crie uma nova senha".into(), "Set a new password".into()),
            vec![
                if data.get("by_admin") == Some(&Value::Bool(true)) {
                    say(
                        "A administração da sua equipe pediu que você crie uma nova senha.".into(),
                        "An admin of your team asks you to set a new password.".into(),
                    )
                } else {
                    say("Recebemos um pedido para trocar a sua senha.".into(), "We were asked to change your password.".into())
                },
                say(
                    "O link vale por 30 minutos e só pode ser usado uma vez.".into(),
                    "The link is good for 30 minutes and can be used once.".into(),
                ),
            ],
            Some(if is_english { "Set a new password" } else { "Criar nova senha" }),
        ),
        Template::PasswordChanged => (
            say("Sua senha foi alterada".into(), "Your password was changed".into()),
            vec![say(
                "A senha da sua conta acaba de ser alterada e as outras sessões foram encerradas.".into(),
                "The password of your account has just been changed, and your other sessions have ended.".into(),
            )],
            None,
        ),
        Template::NewDevice => (
            say("Novo acesso à sua conta".into(), "New sign-in to your account".into()),
            vec![
                say(
                    "Sua conta foi acessada com um dispositivo que não conhecíamos:".into(),
                    "Your account was signed in to from a device we did not know:".into(),
                ),
                circumstances(data, is_english),
            ],
            None,
        ),
        Template::TwoFactorEnabled | Template::TwoFactorDisabled | Template::RecoveryCodesRenewed => {
            let (subject, news) = second_factor(template, is_english);
            (subject.to_owned(), vec![news.to_owned(), circumstances(data, is_english)], None)
        }
        Template::ApprovalAsked => (
            say("Um cadastro aguarda aprovação".into(), "A sign-up awaits approval".into()),
            vec![
                say(format!("Uma pessoa pediu para entrar em {company}:"), format!("Somebody asked to join {company}:")),
                details([(say("Nome".into(), "Name".into()), fact("person")), ("E-mail".into(), fact("email"))]),
                say("Aprove ou recuse em Equipe.".into(), "Approve or refuse it under Team.".into()),
            ],
            None,
        ),
        Template::Approved => (
            say(format!("Seu cadastro em {company} foi aprovado"), format!("Your sign-up at {company} was approved")),
            vec![say(
                "Você já pode entrar com o seu e-mail e a sua senha.".into(),
                "You can now sign in with your e-mail and password.".into(),
            )],
            None,
        ),
        Template::Notifications => {
            let (subject, paragraphs) = unread(company, data, is_english);
            (subject, paragraphs, None)
        }
        Template::Followup => (
            fact("subject").to_owned(),
            data.get("paragraphs")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(if is_english { "Unsubscribe" } else { "Não quero mais receber" }),
        ),
    };
    Letter {
        subject,
        greeting: match name {
            // Whoever wrote the sequence greets as they like.
            _ if template == Template::Followup => String::new(),
            "" => say("Olá!".into(), "Hello!".into()),
            name => say(format!("Olá, {name}!"), format!("Hello, {name}!")),
        },
        paragraphs: paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty()).collect(),
        button,
        link_hint: if is_english {
            "If the button does not work, open this address:"
        } else {
            "Se o botão não funcionar, abra este endereço:"
        },
        closing: closing(template, is_english),
    }
}

/// Subject and paragraphs of what was not read: titles, and how many more there are.
fn unread(company: &str, data: &Value, is_english: bool) -> (String, Vec<String>) {
    let titles = data.get("titles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let titles = titles.map(|title| format!("• {title}"));
    let more = data.get("more").and_then(Value::as_i64).filter(|more| *more > 0);
    let (subject, opening, more) = if is_english {
        let more = more.map(|more| format!("And {more} more."));
        (format!("What has happened at {company}"), "This you have not read yet:", more)
    } else {
        (format!("O que aconteceu em {company}"), "Isto você ainda não leu:", more.map(|more| format!("E mais {more}.")))
    };
    (subject, std::iter::once(opening.to_owned()).chain(titles).chain(more).collect())
}

/// Subject and news of what became of a second factor.
fn second_factor(template: Template, is_english: bool) -> (&'static str, &'static str) {
    match (template, is_english) {
        (Template::TwoFactorEnabled, false) => (
            "Verificação em duas etapas ativada",
            "A partir de agora, cada acesso à sua conta pede também um código do aplicativo. Guarde bem os códigos de recuperação.",
        ),
        (Template::TwoFactorEnabled, true) => (
            "Two-factor authentication is on",
            "From now on, signing in to your account asks for a code of the app too. Keep your recovery codes safe.",
        ),
        (Template::TwoFactorDisabled, false) => (
            "Verificação em duas etapas desativada",
            "A partir de agora, só a senha protege a sua conta: nenhum código é pedido.",
        ),
        (Template::TwoFactorDisabled, true) => {
            ("Two-factor authentication is off", "From now on, your password alone protects your account: no code is asked for.")
        }
        (_, false) => (
            "Novos códigos de recuperação",
            "Novos códigos de recuperação foram gerados para a sua conta. Os anteriores não valem mais.",
        ),
        (_, true) => {
            ("New recovery codes", "New recovery codes were made for your account. The earlier ones are no longer good.")
        }
    }
}

/// What whoever did not expect the mail is to do.
fn closing(template: Template, is_english: bool) -> &'static str {
    let is_about_the_account = match template {
        Template::NewDevice
        | Template::PasswordChanged
        | Template::TwoFactorEnabled
        | Template::TwoFactorDisabled
        | Template::RecoveryCodesRenewed => true,
        Template::Invite | Template::PasswordReset | Template::ApprovalAsked | Template::Approved => false,
        Template::Followup if is_english => return "You receive this because you asked us for information.",
        Template::Followup => return "Você recebe este e-mail porque pediu informações à nossa equipe.",
        Template::Notifications if is_english => return "You choose under Preferences what is sent to you by e-mail.",
        Template::Notifications => return "Em Preferências você escolhe o que chega por e-mail.",
    };
    match (is_about_the_account, is_english) {
        (true, false) => "Se não foi você, crie uma nova senha agora e avise a administração.",
        (true, true) => "If this was not you, set a new password at once and tell your admin.",
        (false, false) => "Se você não esperava este e-mail, ignore-o.",
        (false, true) => "If you did not expect this e-mail, ignore it.",
    }
}

/// With what, where and when it was done.
fn circumstances(data: &Value, is_english: bool) -> String {
    let names = if is_english { ["Device", "Place", "When"] } else { ["Dispositivo", "Lugar", "Quando"] };
    let fact = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
    let [device, place, at] = names.map(str::to_owned);
    details([(device, fact("device")), (place, fact("place")), (at, fact("at"))])
}

/// `Device: Chrome · Place: São Paulo`, without what is not known.
fn details<const COUNT: usize>(facts: [(String, &str); COUNT]) -> String {
    let known = facts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}: {value}"));
    known.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::letter::Sender, *};

    const SENDER: Sender = Sender { name: "Escola", colour: "#ffe600" };

    const ALL: [Template; 10] = [
        Template::Invite,
        Template::PasswordReset,
        Template::PasswordChanged,
        Template::NewDevice,
        Template::TwoFactorEnabled,
        Template::TwoFactorDisabled,
        Template::RecoveryCodesRenewed,
        Template::ApprovalAsked,
        Template::Approved,
        Template::Notifications,
    ];

    #[test]
    fn every_letter_is_whole_in_both_languages_with_and_without_its_facts() {
        let facts =
            json!({"inviter": "Ana", "device": "Chrome", "place": "1.2.3.4", "at": "hoje", "person": "Bia", "email": "b@c.de"});
        for (template, data) in ALL.into_iter().flat_map(|template| [(template, json!({})), (template, facts.clone())]) {
            let [portuguese, english] = ["pt-BR", "en"].map(|locale| of(template, locale, "Escola", "João", &data));
            for letter in [&portuguese, &english] {
                let text = letter.as_text("Escola", Some("https://x.example/a?token=1"));
                assert!(letter.greeting.ends_with(", João!") && !letter.paragraphs.is_empty(), "{letter:?}");
                assert_eq!(letter.button.is_some(), text.contains("token=1"), "{text}");
                assert!(letter.as_html("en", SENDER, None).contains(&letter.subject));
            }
            assert_ne!(portuguese.subject, english.subject);
            assert_ne!(portuguese.closing, english.closing);
        }
    }

    #[test]
    fn a_step_says_what_was_written_and_nothing_before_it() {
        let data = json!({"subject": "Sua vaga", "paragraphs": ["Oi, Ana!", "Ainda há vagas."]});
        let letter = of(Template::Followup, "pt-BR", "Escola", "Ana", &data);
        let text = letter.as_text("Escola", Some("https://x.example/unsubscribe?token=1"));
        assert!(letter.subject == "Sua vaga" && text.starts_with("Oi, Ana!\n\nAinda há vagas."), "{text}");
        assert!(text.contains("Não quero mais receber:\nhttps://x.example/unsubscribe?token=1"), "{text}");
        assert!(!letter.as_html("pt-BR", SENDER, None).contains("<p></p>"));
    }

    #[test]
    fn what_people_write_is_no_markup() {
        let data = json!({"inviter": "<a href=//evil.example>Ana</a>"});
        let letter = of(Template::Invite, "pt-BR", "<b>Escola</b>", "\"><script>", &data);
        let html = letter.as_html("pt-BR", Sender { name: "<b>Escola</b>", ..SENDER }, Some("https://x.example/?token=1&a=<"));
        assert!(!html.contains("<a href=//") && !html.contains("<script>") && !html.contains("<b>"), "{html}");
    }
}
