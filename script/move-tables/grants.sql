-- What the user of a move may do, and nothing else. script/move-tables/setup gives
-- `mover` exactly this; the documentation quotes it.
--
-- {schema} stands for a schema of moved tables ("shop".*): the statement is repeated
-- for each. Sections: [source] runs on the source's primary, [target] on the target's.

-- [source]
-- Reading rows; RENAME at cutover needs ALTER and DROP on the old name, CREATE and INSERT
-- on the new one; TRIGGER to see whether there are triggers, and to read them; SHOW VIEW to see
-- views that read a moved table.
GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRIGGER, SHOW VIEW ON {schema}.* TO 'mover'@'%';
-- The binlog; the GTID sets; who blocks a RENAME.
GRANT REPLICATION SLAVE, REPLICATION CLIENT, PROCESS ON *.* TO 'mover'@'%';
-- XA transactions that were prepared before the move.
GRANT XA_RECOVER_ADMIN ON *.* TO 'mover'@'%';

-- [target]
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER ON {schema}.* TO 'mover'@'%';
-- The checkpoint.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON `move_tables`.* TO 'mover'@'%';
-- With `cutover.triggers: create`, and triggers whose definer is another account, three more: docs/grants.md.
