//! In which words leads are judged.

use shared::closed_set;

closed_set! {
    /// How likely a lead is to buy, by its score.
    pub Temperature { Cold = "cold" | "frio", Warm = "warm" | "morno", Hot = "hot" | "quente" }
}

closed_set! {
    /// Who decides.
    pub AuthorityLevel { DecisionMaker = "decision_maker", Influencer = "influencer", User = "user", Unknown = "unknown" }
}

closed_set! {
    /// How much they need it.
    pub NeedLevel { High = "high", Medium = "medium", Low = "low", Unknown = "unknown" }
}
