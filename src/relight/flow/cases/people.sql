-- role: of one active user at this partner; row-level security shows no other partner's memberships
SELECT m.role FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.partner_id = %(partner)s AND u.username = %(user)s AND u.is_active
