//! Users and departments of a company.
