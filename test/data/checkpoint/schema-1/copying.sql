CREATE DATABASE `move_tables` CHARACTER SET utf8mb4;
CREATE TABLE `move_tables`.`command` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `verb` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `arguments` longtext COLLATE utf8mb4_bin,
  `issued_by` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `issued_at` datetime(6) DEFAULT NULL,
  `taken_by` varchar(255) COLLATE utf8mb4_bin DEFAULT NULL,
  `taken_at` datetime(6) DEFAULT NULL,
  `outcome` longtext COLLATE utf8mb4_bin,
  `finished_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `move` (`move`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `move_tables`.`hook_delivery` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `event_id` varchar(36) COLLATE utf8mb4_bin NOT NULL,
  `endpoint_digest` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `event` varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `endpoint` longtext COLLATE utf8mb4_bin,
  `body` longblob,
  `state` varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT 'pending',
  `attempts` int unsigned NOT NULL DEFAULT '0',
  `epoch` bigint unsigned NOT NULL DEFAULT '0',
  `last_status` int NOT NULL DEFAULT '0',
  `last_error` longtext COLLATE utf8mb4_bin,
  `created_at` datetime(6) DEFAULT NULL,
  `sent_at` datetime(6) DEFAULT NULL,
  `next_attempt_at` datetime(6) DEFAULT NULL,
  `delivered_at` datetime(6) DEFAULT NULL,
  `resolved_by` varchar(255) COLLATE utf8mb4_bin DEFAULT NULL,
  `resolved_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `event_endpoint` (`event_id`,`endpoint_digest`),
  KEY `move` (`move`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `move_tables`.`lease` (
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `epoch` bigint unsigned NOT NULL,
  `owner` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `taken_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`move`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`lease` (`move`, `epoch`, `owner`, `taken_at`) VALUES ('copying', 1795264918488, 'host.example:1', '2026-11-21 12:41:58.488547');
CREATE TABLE `move_tables`.`move` (
  `name` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `move_id` varchar(36) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `phase` varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `position` longtext COLLATE utf8mb4_bin,
  `horizon` longtext COLLATE utf8mb4_bin,
  `drain_gtid` longtext COLLATE utf8mb4_bin,
  `attempt` int unsigned NOT NULL DEFAULT '0',
  `config` longtext COLLATE utf8mb4_bin,
  `source_uuid` varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `target_uuid` varchar(64) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `xa_clean` tinyint(1) NOT NULL DEFAULT '0',
  `rename_token` varchar(255) COLLATE utf8mb4_bin DEFAULT NULL,
  `paused` tinyint(1) NOT NULL DEFAULT '0',
  `cutover_requested` tinyint(1) NOT NULL DEFAULT '0',
  `last_error` longtext COLLATE utf8mb4_bin,
  `created_at` datetime(6) DEFAULT NULL,
  `updated_at` datetime(6) DEFAULT NULL,
  `heartbeat_at` datetime(6) DEFAULT NULL,
  `fenced_at` datetime(6) DEFAULT NULL,
  `drained_at` datetime(6) DEFAULT NULL,
  `completed_at` datetime(6) DEFAULT NULL,
  `lag_ms` bigint DEFAULT NULL,
  `changes_applied` bigint unsigned NOT NULL DEFAULT '0',
  `copy_rows_per_s` bigint unsigned NOT NULL DEFAULT '0',
  `build` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `requires` varchar(1000) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`move` (`name`, `move_id`, `phase`, `position`, `horizon`, `drain_gtid`, `attempt`, `config`, `source_uuid`, `target_uuid`, `xa_clean`, `rename_token`, `paused`, `cutover_requested`, `last_error`, `created_at`, `updated_at`, `heartbeat_at`, `fenced_at`, `drained_at`, `completed_at`, `lag_ms`, `changes_applied`, `copy_rows_per_s`, `build`, `requires`) VALUES ('copying', '493c87cd-9d39-479d-aa78-7cfd742c8ec4', 'copying', '@position@', '@horizon@', NULL, 0, '{\"tables\":[{\"from\":\"shop.customers\",\"to\":\"shop.customers\"},{\"from\":\"shop.orders\",\"to\":\"shop.orders\"},{\"from\":\"shop.items\",\"to\":\"shop.items\"}]}', '@source_uuid@', '@target_uuid@', 1, NULL, 0, 0, NULL, '2026-11-21 12:41:59.088462', '2026-11-21 12:41:59.725375', '2026-11-21 12:41:59.725375', NULL, NULL, NULL, 0, 0, 3057, 'move-tables 0.1.0 (13b747ceff2e)', '');
CREATE TABLE `move_tables`.`move_table` (
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `source_table` varchar(255) COLLATE utf8mb4_bin NOT NULL,
  `ordinal` int unsigned NOT NULL DEFAULT '0',
  `target_table` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `moved_as` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `key_name` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `definition_digest` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `rows_estimated` bigint unsigned NOT NULL DEFAULT '0',
  `rows_copied` bigint unsigned NOT NULL DEFAULT '0',
  `copied_to` longtext COLLATE utf8mb4_bin,
  `copy_done` tinyint(1) NOT NULL DEFAULT '0',
  `rows_final` bigint unsigned DEFAULT NULL,
  PRIMARY KEY (`move`,`source_table`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('copying', 'shop.customers', 0, 'shop.customers', 'shop._customers_moved', 'PRIMARY', '96ee33e54e2eaffd0cbfd583c1df64c9453f272d6c074c1c505aa38aa1a7db0f', 500, 500, NULL, 1, NULL);
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('copying', 'shop.items', 2, 'shop.items', 'shop._items_moved', 'PRIMARY', 'c3295d7d7c7dd4fb328a6749bcf7ea37de7e42186e35ec2442a84f156069ece5', 4999, 1000, '[\"353030\",\"32\"]', 0, NULL);
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('copying', 'shop.orders', 1, 'shop.orders', 'shop._orders_moved', 'PRIMARY', 'd36b252520c14090f1e3a59866956a802006d8ab84c114af48be453831769b6d', 2500, 1557, '[\"31353537\"]', 0, NULL);
CREATE TABLE `move_tables`.`run` (
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `epoch` bigint unsigned NOT NULL,
  `owner` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `build` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `began_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`move`,`epoch`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`run` (`move`, `epoch`, `owner`, `build`, `began_at`) VALUES ('copying', 1795264918488, 'host.example:1', 'move-tables 0.1.0 (13b747ceff2e)', '2026-11-21 12:41:58.488547');
CREATE TABLE `move_tables`.`schema_migrations` (
  `id` int unsigned NOT NULL,
  `name` varchar(255) COLLATE utf8mb4_bin NOT NULL,
  `backward_compatible` tinyint(1) NOT NULL,
  `begun_at` datetime(6) DEFAULT NULL,
  `applied_at` datetime(6) DEFAULT NULL,
  `applied_by` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`schema_migrations` (`id`, `name`, `backward_compatible`, `begun_at`, `applied_at`, `applied_by`) VALUES (1, 'first release', 0, '2026-11-21 12:41:58.240458', '2026-11-21 12:41:58.441303', 'move-tables 0.1.0 (13b747ceff2e)');
