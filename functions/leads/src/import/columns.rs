//! Which column is what of a lead.

use clients::{fields::is_key, import::mapping::Column};

/// What columns may be.
pub const LEAD_TARGET: &str = "^(name|phone|email|company|job_title|origin|campaign|closer|sdr|stage|potential_value|expected_close|value|close_reason|tags|notes|crm_id|custom_fields[.][a-z][a-z0-9_]{0,39})$";

/// What a column is of a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadColumn {
    Name,
    Phone,
    Email,
    Company,
    JobTitle,
    Origin,
    Campaign,
    /// By e-mail, or by name.
    Closer,
    Sdr,
    /// By key, or by name.
    Stage,
    PotentialValue,
    ExpectedClose,
    /// What it was won for.
    Value,
    /// Why it was lost.
    CloseReason,
    Tags,
    /// Becomes an interaction of a lead that is new.
    Notes,
    CrmId,
    Custom(String),
}

/// Those that have a name of their own, with it.
const NAMED: [(LeadColumn, &str); 17] = [
    (LeadColumn::Name, "name"),
    (LeadColumn::Phone, "phone"),
    (LeadColumn::Email, "email"),
    (LeadColumn::Company, "company"),
    (LeadColumn::JobTitle, "job_title"),
    (LeadColumn::Origin, "origin"),
    (LeadColumn::Campaign, "campaign"),
    (LeadColumn::Closer, "closer"),
    (LeadColumn::Sdr, "sdr"),
    (LeadColumn::Stage, "stage"),
    (LeadColumn::PotentialValue, "potential_value"),
    (LeadColumn::ExpectedClose, "expected_close"),
    (LeadColumn::Value, "value"),
    (LeadColumn::CloseReason, "close_reason"),
    (LeadColumn::Tags, "tags"),
    (LeadColumn::Notes, "notes"),
    (LeadColumn::CrmId, "crm_id"),
];

impl LeadColumn {
    /// Whether it may be a field's key.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.own_field().is_none_or(|key| key.len() <= 40 && is_key(key))
    }
}

impl Column for LeadColumn {
    const HEADERS: &'static [(&'static str, &'static str)] = &[
        ("name", "nome"),
        ("name", "nome completo"),
        ("name", "lead"),
        ("name", "contato"),
        ("name", "name"),
        ("name", "full name"),
        ("phone", "telefone"),
        ("phone", "celular"),
        ("phone", "whatsapp"),
        ("phone", "fone"),
        ("phone", "phone"),
        ("phone", "phone number"),
        ("phone", "mobile"),
        ("email", "email"),
        ("email", "e mail"),
        ("email", "email address"),
        ("company", "empresa"),
        ("company", "escola"),
        ("company", "organizacao"),
        ("company", "company"),
        ("company", "organization"),
        ("job_title", "cargo"),
        ("job_title", "funcao"),
        ("job_title", "job title"),
        ("job_title", "role"),
        ("origin", "origem"),
        ("origin", "fonte"),
        ("origin", "origin"),
        ("origin", "source"),
        ("origin", "lead source"),
        ("campaign", "campanha"),
        ("campaign", "campaign"),
        ("closer", "closer"),
        ("closer", "responsavel"),
        ("closer", "vendedor"),
        ("closer", "owner"),
        ("sdr", "sdr"),
        ("sdr", "pre vendas"),
        ("stage", "etapa"),
        ("stage", "fase"),
        ("stage", "status"),
        ("stage", "stage"),
        ("potential_value", "valor potencial"),
        ("potential_value", "valor"),
        ("potential_value", "potential value"),
        ("potential_value", "deal value"),
        ("expected_close", "previsao de fechamento"),
        ("expected_close", "fechamento previsto"),
        ("expected_close", "expected close"),
        ("expected_close", "close date"),
        ("value", "valor fechado"),
        ("value", "won value"),
        ("close_reason", "motivo"),
        ("close_reason", "motivo da perda"),
        ("close_reason", "lost reason"),
        ("close_reason", "close reason"),
        ("tags", "etiquetas"),
        ("tags", "tags"),
        ("tags", "labels"),
        ("notes", "observacoes"),
        ("notes", "observacao"),
        ("notes", "obs"),
        ("notes", "notas"),
        ("notes", "notes"),
        ("notes", "comments"),
        ("crm_id", "id do crm"),
        ("crm_id", "crm id"),
    ];

    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix("custom_fields.") {
            Some(key) => Some(Self::Custom(key.to_owned())),
            None => NAMED.iter().find(|(_, name)| *name == text).map(|(column, _)| column.clone()),
        }
    }

    fn named(&self) -> String {
        match self {
            Self::Custom(key) => format!("custom_fields.{key}"),
            known => NAMED.iter().find(|(column, _)| column == known).map_or_else(String::new, |(_, name)| (*name).to_owned()),
        }
    }

    fn is_many(&self) -> bool {
        *self == Self::Tags
    }

    fn is_telling(&self) -> bool {
        matches!(self, Self::Name | Self::Phone | Self::Email | Self::Company)
    }

    fn own_field(&self) -> Option<&str> {
        if let Self::Custom(key) = self { Some(key) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_as_it_is_named_and_headers_name_one_of_them() {
        for (column, name) in NAMED {
            assert_eq!((LeadColumn::read(name).as_ref(), column.named().as_str()), (Some(&column), name));
        }
        assert_eq!(LeadColumn::read("custom_fields.turma"), Some(LeadColumn::Custom("turma".to_owned())));
        assert_eq!(LeadColumn::read("document"), None);
        assert!(LeadColumn::HEADERS.iter().all(|(name, _)| LeadColumn::read(name).is_some()));
    }
}
