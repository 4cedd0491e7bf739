-- partner_by_slug: whose webhook it is, and how its agencies are reached; read from outside any partner, like providers'
SELECT id, driver_settings -> 'handover' AS agencies FROM partner WHERE slug = %(slug)s

