RENAME TABLE /* move-tables:token */ orders TO _orders_moved, items TO _items_moved;
INSERT INTO _orders_moved VALUES (900, 'behind the rename', 1);
RENAME TABLE /* move-tables:token */ _orders_moved TO orders, _items_moved TO items;
