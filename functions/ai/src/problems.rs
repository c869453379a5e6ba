//! Why there is no answer, as people are told.

use shared::{
    ai::{Fault, Refused},
    prelude::*,
};

pub const AI_NOT_CONFIGURED: Problem = Problem::new(
    409,
    "ai_not_configured",
    "A empresa ainda não tem um modelo de IA para isto. Um administrador pode informá-lo na configuração.",
    "The company has no AI model for this yet. An admin can give one in the set-up.",
);

pub const AI_OFF: Problem =
    Problem::new(409, "ai_off", "A IA está desligada nesta empresa.", "AI is switched off in this company.");

pub const AI_BUDGET_GONE: Problem = Problem::new(
    409,
    "ai_budget_gone",
    "O limite de uso da IA foi atingido. Ele se renova amanhã, ou um supervisor pode aumentá-lo.",
    "What AI may be used is used up. It is renewed tomorrow, or a supervisor can raise it.",
);

pub const AI_SILENT: Problem = Problem::new(
    503,
    "ai_silent",
    "A IA não respondeu. Nada mudou; tente de novo em instantes.",
    "The AI did not answer. Nothing has changed; try again shortly.",
);

pub const AI_REFUSED: Problem = Problem::new(
    409,
    "ai_refused",
    "O provedor de IA recusou o pedido, ou não está no endereço informado. Um administrador deve conferir endereço, modelo e chave.",
    "The AI's provider refused, or is not where it was said to be. An admin should check address, model and key.",
);

pub const AI_UNCLEAR: Problem = Problem::new(
    409,
    "ai_unclear",
    "A IA não deu uma resposta que possa ser usada. Tente de outro jeito.",
    "The AI gave no answer that can be used. Try another way.",
);

pub const NOTHING_SAID: Problem = Problem::new(
    409,
    "nothing_said",
    "Ainda não há nada escrito nesta conversa.",
    "Nothing has been written in this conversation yet.",
);

pub const TAKEN_OVER: Problem = Problem::new(
    409,
    "taken_over",
    "O robô não está com esta conversa: nada foi enviado.",
    "The bot does not have this conversation: nothing was sent.",
);

pub const MOVED_ON: Problem = Problem::new(
    409,
    "moved_on",
    "Alguém escreveu nesta conversa enquanto a IA respondia: nada foi enviado.",
    "Somebody has written in this conversation while the AI was answering: nothing was sent.",
);

/// What a refusal is to whoever asked.
#[must_use]
pub const fn problem_of(refused: Refused) -> Problem {
    match refused {
        Refused::NotConfigured => AI_NOT_CONFIGURED,
        Refused::Off => AI_OFF,
        Refused::BudgetGone => AI_BUDGET_GONE,
        Refused::Asked(_) => AI_SILENT,
        Refused::Model(fault) => match fault {
            Fault::Busy | Fault::TimedOut => AI_SILENT,
            Fault::Address | Fault::Unreachable | Fault::Blocked | Fault::NoSuchModel | Fault::Refused => AI_REFUSED,
            Fault::TooLong | Fault::Empty | Fault::CutOff | Fault::Filtered | Fault::Unreadable => AI_UNCLEAR,
        },
    }
}

/// A route's problems with AI, and its own.
#[macro_export]
macro_rules! ai_fails {
    ($($own:expr),* $(,)?) => {
        &[
            $crate::AI_BUDGET_GONE,
            $crate::AI_NOT_CONFIGURED,
            $crate::AI_OFF,
            $crate::AI_REFUSED,
            $crate::AI_SILENT,
            $crate::AI_UNCLEAR,
            $($own),*
        ]
    };
}
