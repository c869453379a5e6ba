//! Who brings messages of WhatsApp.

use shared::closed_set;

closed_set! {
    /// By the kind of its channel accounts, which is also the source of kept webhooks.
    pub Provider { Cloud = "whatsapp_cloud", Evolution = "evolution", BotConversa = "botconversa" }
}

impl Provider {
    /// The kind of identity that its own ids of clients are, beside their numbers.
    #[must_use]
    pub const fn user_id_kind(self) -> &'static str {
        match self {
            Self::Cloud => "bsuid",
            Self::Evolution => "lid",
            Self::BotConversa => "botconversa",
        }
    }

    /// Whether it tells of what we have sent through it as of what the business wrote on its phone.
    #[must_use]
    pub const fn echoes_ours(self) -> bool {
        matches!(self, Self::Evolution)
    }

    /// Whether it writes numbers as WhatsApp does, so that clients are answered under what it has written.
    #[must_use]
    pub const fn writes_addresses(self) -> bool {
        !matches!(self, Self::BotConversa)
    }
}
