-- Whoever brings messages has ids of clients beside their numbers; which kind of identity these are follows from the channel.

alter table early_changes rename column bsuid to user_id;
