-- setting: how a partner's references are made
SELECT reference_setting FROM partner WHERE id = %(partner)s

-- keep: from the next import on
UPDATE partner SET reference_setting = %(setting)s WHERE id = %(partner)s
