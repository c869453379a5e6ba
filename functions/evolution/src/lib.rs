//! Instances of Evolution API servers: numbers that are linked by scanning a code, at servers that companies run themselves.

pub mod instance;
mod recording;
mod seen;
pub mod servers;
pub mod told;
pub mod visiting;
pub mod words;

use shared::{prelude::*, provider::Failure};

pub use instance::Instance;
pub use recording::{Telling, expect_down, record};
pub use seen::{InstanceProblem, Seen};
pub use visiting::{Known, Visit, remove_there};

pub const SERVER_SILENT: Problem = Problem::new(
    503,
    "server_silent",
    "O servidor da Evolution API não respondeu. Tente de novo em instantes.",
    "The Evolution API server did not answer. Try again shortly.",
);
pub const KEY_REFUSED: Problem = Problem::new(
    409,
    "key_refused",
    "O servidor da Evolution API não aceita mais a chave desta instância. Salve o canal de novo com uma chave válida.",
    "The Evolution API server no longer accepts this instance's key. Save the channel again with a valid one.",
);
pub const INSTANCE_MISSING: Problem = Problem::new(
    409,
    "instance_missing",
    "O servidor não tem mais esta instância. Remova-a e crie outra.",
    "The server no longer has this instance. Remove it and create another.",
);
pub const INSTANCE_NAME_TAKEN: Problem = Problem::new(
    409,
    "instance_name_taken",
    "O servidor tem uma instância de outra pessoa com este nome. Remova esta e crie outra.",
    "The server has somebody else's instance under this name. Remove this one and create another.",
);
pub const REFUSED_BY_SERVER: Problem = Problem::new(
    409,
    "refused_by_server",
    "O servidor da Evolution API recusou o pedido.",
    "The Evolution API server refused the request.",
)
.showing::<ServerRefusal>();
pub const NOT_LINKED: Problem = Problem::new(
    409,
    "not_linked",
    "Nenhum telefone está ligado a esta instância. Conecte-a primeiro.",
    "No phone is linked to this instance. Connect it first.",
);
pub const NUMBER_CONNECTED: Problem = Problem::new(
    409,
    "number_connected",
    "Este número já está conectado por outro canal da empresa.",
    "This number is connected by another channel of the company already.",
)
.showing::<ConnectedNumber>();

/// What a server answered, in its words.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServerRefusal {
    pub code: String,
    pub detail: String,
}

/// The channel that has the number.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectedNumber {
    pub channel_account_id: Uuid,
    pub channel_name: String,
}

/// What every call to a server may be answered with.
pub const SERVER_FAILS: [Problem; 4] = [SERVER_SILENT, KEY_REFUSED, INSTANCE_MISSING, REFUSED_BY_SERVER];

/// A failed call as its caller is told of it.
#[must_use]
pub fn refuse(failure: Failure) -> Error {
    match failure {
        Failure::Busy { code: reason, .. } | Failure::Unknown { reason } => SERVER_SILENT.caused_by(reason),
        Failure::Blocked { code, .. } if code == "401" => KEY_REFUSED.into(),
        Failure::Refused { code, .. } if code == "404" => INSTANCE_MISSING.into(),
        Failure::Refused { code, detail } | Failure::Blocked { code, detail } => {
            REFUSED_BY_SERVER.with_current(&ServerRefusal { code, detail })
        }
    }
}
