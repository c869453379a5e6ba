-- Jobs over the people on a channel: what they are called.
insert into job_rules (kind, queue, added_by) values
    ('fix_contact_names', 'contacts', 'supervisor'),
    ('sync_contact_profiles', 'contacts', 'supervisor');
