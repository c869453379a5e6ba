//! The account of the local cloud's queues and parameters.

/// Account in queue URLs and ARNs.
pub const ACCOUNT: &str = "000000000000";

/// Region in ARNs.
pub const REGION: &str = "us-east-1";
