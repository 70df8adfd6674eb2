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
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`hook_delivery` (`id`, `event_id`, `endpoint_digest`, `move`, `event`, `endpoint`, `body`, `state`, `attempts`, `epoch`, `last_status`, `last_error`, `created_at`, `sent_at`, `next_attempt_at`, `delivered_at`, `resolved_by`, `resolved_at`) VALUES (1, 'baf19f35-d7cc-5fc8-937b-414f3cb14ec5', '@endpoint_digest@', 'draining', 'before_cutover', '@endpoint@', X'7b227370656376657273696f6e223a22312e30222c226964223a2262616631396633352d643763632d356663382d393337622d343134663363623134656335222c22736f75726365223a226d6f76652d7461626c65732f647261696e696e67222c2274797065223a226d6f76652d7461626c65732e6265666f72655f6375746f766572222c2274696d65223a22323032362d31312d32315431323a34323a30372e3236315a222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226d6f7665223a22647261696e696e67222c226d6f76655f6964223a2262663430363636612d633831302d343634652d383630352d393836396234386138383738222c22617474656d7074223a312c227068617365223a227265616479222c22736f75726365223a7b22686f7374223a223132372e302e302e31222c22706f7274223a33313230302c227365727665725f75756964223a2230363732653031372d653561322d313166312d393430352d303266633030303030303031227d2c22746172676574223a7b22686f7374223a223132372e302e302e31222c22706f7274223a33313230322c227365727665725f75756964223a2230373665356364332d653561322d313166312d383861632d303266633030303030303031227d2c227461626c6573223a5b7b2266726f6d223a2273686f702e637573746f6d657273222c22746f223a2273686f702e637573746f6d657273222c226d6f7665645f6173223a2273686f702e5f637573746f6d6572735f6d6f766564222c22726f7773223a3530307d2c7b2266726f6d223a2273686f702e6f7264657273222c22746f223a2273686f702e6f7264657273222c226d6f7665645f6173223a2273686f702e5f6f72646572735f6d6f766564222c22726f7773223a323530307d2c7b2266726f6d223a2273686f702e6974656d73222c22746f223a2273686f702e6974656d73222c226d6f7665645f6173223a2273686f702e5f6974656d735f6d6f766564222c22726f7773223a353030307d5d7d7d', 'delivered', 1, 1795264925817, 200, NULL, '2026-11-21 12:42:07.262266', '2026-11-21 12:42:07.266932', NULL, '2026-11-21 12:42:07.272192', NULL, NULL);
CREATE TABLE `move_tables`.`lease` (
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `epoch` bigint unsigned NOT NULL,
  `owner` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `taken_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`move`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`lease` (`move`, `epoch`, `owner`, `taken_at`) VALUES ('draining', 1795264925817, 'host.example:1', '2026-11-21 12:42:05.817340');
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
INSERT INTO `move_tables`.`move` (`name`, `move_id`, `phase`, `position`, `horizon`, `drain_gtid`, `attempt`, `config`, `source_uuid`, `target_uuid`, `xa_clean`, `rename_token`, `paused`, `cutover_requested`, `last_error`, `created_at`, `updated_at`, `heartbeat_at`, `fenced_at`, `drained_at`, `completed_at`, `lag_ms`, `changes_applied`, `copy_rows_per_s`, `build`, `requires`) VALUES ('draining', 'bf40666a-c810-464e-8605-9869b48a8878', 'draining', '@position@', '@horizon@', '@drain_gtid@', 1, '{\"tables\":[{\"from\":\"shop.customers\",\"to\":\"shop.customers\"},{\"from\":\"shop.orders\",\"to\":\"shop.orders\"},{\"from\":\"shop.items\",\"to\":\"shop.items\"}]}', '@source_uuid@', '@target_uuid@', 1, 'move-tables bf40666a-c810-464e-8605-9869b48a8878', 0, 0, NULL, '2026-11-21 12:42:06.407919', '2026-11-21 12:42:07.375884', '2026-11-21 12:42:07.243630', '2026-11-21 12:42:07.375568', NULL, NULL, 0, 0, 8000, 'move-tables 0.1.0 (13b747ceff2e)', '');
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
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('draining', 'shop.customers', 0, 'shop.customers', 'shop._customers_moved', 'PRIMARY', '96ee33e54e2eaffd0cbfd583c1df64c9453f272d6c074c1c505aa38aa1a7db0f', 500, 500, NULL, 1, 500);
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('draining', 'shop.items', 2, 'shop.items', 'shop._items_moved', 'PRIMARY', 'c3295d7d7c7dd4fb328a6749bcf7ea37de7e42186e35ec2442a84f156069ece5', 5000, 5000, '[\"31393838\",\"32\"]', 1, 5000);
INSERT INTO `move_tables`.`move_table` (`move`, `source_table`, `ordinal`, `target_table`, `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`, `copied_to`, `copy_done`, `rows_final`) VALUES ('draining', 'shop.orders', 1, 'shop.orders', 'shop._orders_moved', 'PRIMARY', 'd36b252520c14090f1e3a59866956a802006d8ab84c114af48be453831769b6d', 2500, 2500, '[\"32313031\"]', 1, 2500);
CREATE TABLE `move_tables`.`run` (
  `move` varchar(64) COLLATE utf8mb4_bin NOT NULL,
  `epoch` bigint unsigned NOT NULL,
  `owner` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `build` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  `began_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`move`,`epoch`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`run` (`move`, `epoch`, `owner`, `build`, `began_at`) VALUES ('draining', 1795264925817, 'host.example:1', 'move-tables 0.1.0 (13b747ceff2e)', '2026-11-21 12:42:05.817340');
CREATE TABLE `move_tables`.`schema_migrations` (
  `id` int unsigned NOT NULL,
  `name` varchar(255) COLLATE utf8mb4_bin NOT NULL,
  `backward_compatible` tinyint(1) NOT NULL,
  `begun_at` datetime(6) DEFAULT NULL,
  `applied_at` datetime(6) DEFAULT NULL,
  `applied_by` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO `move_tables`.`schema_migrations` (`id`, `name`, `backward_compatible`, `begun_at`, `applied_at`, `applied_by`) VALUES (1, 'first release', 0, '2026-11-21 12:42:05.603037', '2026-11-21 12:42:05.763718', 'move-tables 0.1.0 (13b747ceff2e)');
