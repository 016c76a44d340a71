# ruff: noqa: E501 (a rule that is cut into lines cannot be compared with its neighbours)
"""How people ask in Spanish for a channel. Tuned on ``tests/domain/wishes/tuning_*.tsv`` only."""

from __future__ import annotations

from typing import Final

from agentconsole.domain.wishes_rules import (
    ANY,
    APPOINTMENT,
    DELIVERY,
    INVOICE,
    MARKETING,
    URGENT,
    M,
    Tongue,
    V,
    X,
    compiled,
    media,
)

_BY: Final = r"(?:por|vía|via|a través de|a través del|mediante|en|al|a|con|usando|un|una)(?: mi| el| la)?"
_ANSWER: Final = (
    r"(?:respond(?:an|a|er|erme|éis|ed|edme|erán|ieran)|respónd(?:an|e|a)me|respuestas?|contest(?:en|e|ar|arme|éis|ad|aran)|contést(?:en|a|e)me|contact(?:en|e|ar|arme|éis|ad|ada|ado|aran|os?)|contáct(?:en|a|e)me|escrib(?:an|a|ir|irme|áis|id|idme|ieran|e)|escríb(?:an|e|a)(?:me)?|avis(?:en|e|ar|arme|éis|ad|aran|os?)|avís(?:en|a|e)me|habl(?:ar|emos|amos|en|e)|háblen\w*|inform\w+|infórm\w+|comuni\w+|comuní\w+|notif\w+"
    r"|atiend\w+|atend\w+|seguir|sigamos|continu\w+|mantener\w*|recibir|mándenme (?:todo|la respuesta|mensaje)|envíenme (?:todo|la respuesta|mensaje|las respuestas)|envíe la respuesta|manden todo|charlar|conversar)"
)
_PLEASE: Final = r"(?:por favor|porfa|porfavor|xfa|x favor|pf|gracias|si es posible|si pueden|se agradece|agradezco)"

TONGUE: Final = Tongue(
    media=media(
        (
            r"\bcorreo postal\b|\bcorreos\b|\b(?:(?:un|este|ese|nuevo|otro|mejor|mi|su) teléfono(?! por)|teléfono (?:azul|negro|blanco|nuevo|que|rojo|roto|de la|del))\b|\bnúmero de teléfono\b|\bteléfono (?:nuevo|que)\b|\bpor correo certificado\b|\bmóvil\b|\bcelular\b",
            "",
        ),
        (
            r"\bwhats ?app?s?\b|\bwhats\b|\bw[ao]s+ap+s?\b|\bwasa\b|\bguasap+\b|\bguatsap\b|\bwsp\b|\bwpp\b|\bwhatsap\b|\bwass?ap\b|\bwatsap+\b|\bwhatsup\b",
            "whatsapp",
        ),
        (r"\bcorreos? electr[óo]nicos?\b|\bcorreo\b|\be[- ]?mails?\b|\bmails?\b", "email"),
        (r"\bsms\b|\bmensajes? de texto\b|\bmensajitos? de texto\b", "sms"),
        (
            r"\b(?:(?:d[ée]n?|háganme|h[áa]gan|haz)(?:me)? una llamad(?:a|ita)|m[áa]rqu?[ea]n?me)\b|\bme llaman(?=,? (?:por favor|porfa))|\b(?:ll[áa]m(?:en|e|a|ad)me|me (?:llam(?:en|e|es|a|ar|áis|éis|as)|telefone\w+)|(?:llamar|telefone(?:ar|en))me)\b|\b(?:me (?:pueden|puede|podrían|podría|puedes|podéis)) llamar\b",
            "phone!",
        ),
        (
            r"\btel[ée]fono\b|\bllamadas?(?: telef[óo]nicas?)?\b|\btelef[óo]nic[oa](?:mente)?\b|\bvía telefónica\b",
            "phone",
        ),
        (r"\btelegram\b", "telegram"),
        (r"\bmessenger\b", "messenger"),
        (r"\bslack\b", "slack"),
        (r"\bsignal\b", "signal"),
        (r"\bkakao ?talk\b", "kakaotalk"),
        (r"\bchat\b", "webchat"),
    ),
    rewrite=(),
    negated=compiled(
        rf"\b(?:no(?= (?!<\w+>))|nunca|nada de|sin|en vez de|en lugar de|antes que|ni|raramente|detesto|odio|eviten)(?: (?:por|el|la|al|los|las|un|una|mi|me|puedo|uso|veo|reviso|quiero|quieran|miro|leo|tengo|atender|contestar|recibir|atiendo|contesto|abro|mucho|envíen|manden|más|utilizo|funciona|va|de|del|en|con|a|lo|casi|escriban|usar|hablar|sé|hacer|hagan)){{0,4}}?\s+{ANY}(?<!que <phone!>)",
        rf"\bque (?:por |el |la |al |vía |en |de )?{ANY}(?<!que <phone!>)",
        r"\bcasi (?:no|nunca) [^<,.]{0,20}<\w+>",
    ),
    erased=compiled(
        rf"\b(?:mandé|envié|recibí|escribí|llamé|hablé|compré|pedí|hice|mandaron|enviaron|respondieron|contestaron|dijeron|llegó|vi|leí|mando|llamo|envío|enviaré|mandaré|voy|vino|gracias por|no me llegó|funciona|cambiar|actualicen|entrar con|avisaron|mandara|escribió|prefería)(?: [\wñáéíóúü]+){{0,5}}? {ANY}",
        rf"\b(?:puedo|podría yo|debo|cómo|cuál|cuáles|dónde|cuándo|ustedes|hay|tienen|tiene|tenéis|usan|avisan|llega|llegará|prefieren|muestra|lo mando|atienden)\b[^<?]{{0,40}}?{ANY}[^<]*\?",
        rf"\b(?:mi|su|tu|el|la|un|una|este|ese|esos|los|las|del|vuestro) {ANY}(?: de\b| del| es\b(?! mejor| más| lo | el )| que\b|:| no\b| está| fue| llegó| parece)",
        rf"\b(?:mand\w+|mánd\w+|envi\w+|enví\w+|recibir|pas\w+|reenv\w+)(?: (?:me|ya|entonces))* (?:el|la|los|las|un|una|lo|eso|ese|esa|mi|otra|otro)\b(?! (?:<|respuestas?|informaci|noticias|facturas|avisos|recibos|novedades|recordatorios|actualizaci|comunicaci))[^<]{{0,40}}{ANY}",
        rf"\b(?:envíenlo|mándenlo|mándenmelo|envíenmelo|mándamelo|enviarlo|mandarlo|reenvíenlo)\b[^<]{{0,20}}{ANY}",
        rf"\b(?:código|comprobante|foto|fotos|enlace|link|etiqueta|guía|presupuesto|recibo del|archivo|ticket)\b[^<]{{0,25}}{ANY}",
        rf"\b(?:comprar|saber|pagar|alterar|mudar|cambiar|suporte|soporte)\b[^<]{{0,30}}{ANY}",
        rf"^{ANY}\s*:",
        rf"\bno (?:quiero|quisiera|hace falta|es necesario|deseo|me gusta|me gustaría|necesito|vale la pena)(?: que)? {ANY}",
        r"\b(?:si|cuando|gracias por|después de|espero|esperando|esperé)(?: a| ustedes| que| a que)? <phone!>",
        rf"(?<!me )\b(?:hablan|responden|contestan|atienden|mandan|avisan|llaman|respondo|escribo|atiende|responde|contesta)\b(?! (?:por favor|me))[^<]{{0,20}}{ANY}",
        rf"{ANY} (?:de confirmación|de ustedes|de la tienda|raro|postal)",
    ),
    vetoes=compiled(
        r"\b(?:repartidor|mensajero|conductor|cartero|técnico|portero|conserje|vecin[oa]|marido|esposo|esposa|mujer|madre|mamá|padre|papá|hij[oa]|herman[oa]|colega|jefe|jefa|amig[oa]|él|ella|ellos|ellas|alguien|nadie|señorita|agente|chofer|gerente|encargad[oa]|supervisor|contabilidad|contador|suegr[oa]|novi[oa]|compañer[oa])\b",
        r"\bme da igual\b|\bda igual\b|\bcualquier\w*\b|\bcomo (?:prefieran|prefiera|quieran|quiera|gusten|les convenga)\b|\blo que sea\b|\bindistint\w+\b|\blos dos\b|\bcualquiera\b|\bda lo mismo\b",
        r"\bantes (?:prefer|me|les)\w*\b|\baño pasado\b|\bdij(?:o|eron)\b|\bprometieron\b|\bpidió\b|\bpidieron\b|\bhubieran?\b|\bfuera más\b|\bdeberían haber\b|\biban?\b|\bpedí\b|\bdicen\b|\bdej(?:en|a|e|ad) de\b",
        r"^¿?\s*(?:cuál|cómo|cuándo|dónde|por qué|quién)\b|\bdarme de baja\b|\bdar de baja\b|\bprefieren\b|\bcuándo me\b|\bpor qué\b",
    ),
    sure=compiled(
        rf"{V}(?! (?:cuando (?!pued)|en cuanto|si|al|antes|después|el|a las)\b)(?=.{{0,60}}$)",
        rf"\b(?:prefiero|preferiría|preferimos|preferencia|preferible|preferiblemente|preferentemente|de preferencia|gustaría|quisiera|quiero|deseo|mejor|más fácil|mas facil|más cómodo|más práctico|agradezco|agradecería|solo|sólo|solamente|únicamente|exclusivamente|siempre|conviene)\b"
        rf"(?! (?:entrar|saber|cambiar|cancelar|darme))[^<]{{0,50}}{X}",
        rf"\b{_ANSWER}(?:[^<]{{0,30}}) {_BY} {M}",
        rf"\bme (?:escrib(?:an|a|en|es|ieran|ir)|respond(?:an|a|en|es|ieran|er)|contest(?:en|an|e|as|aran|ar)|avis(?:en|an|e|as|aran|ar)|contact(?:en|an|e|as|aran|ar)|mand(?:en|an|e|as|aran|ar)|env[ií](?:en|an|e|as|aran|ar)|habl(?:en|an|es?|ar))(?: [\wñáéíóú]+){{0,3}}? (?:{_BY}) {M}",
        rf"\b(?:mánd\w+me|manden|mandame|mándame|envíenme|envíame|enviadme|envíeme|mandadme|escríb\w+me|escribidme) (?:un |una |solo )?{M}",
        rf"{M} (?:es|me queda|me resulta|me viene|me va|sería|me es|funciona|está)(?: \w+)? ?(?:mejor|más|ideal|lo mejor|perfecto|preferible|bien)",
        rf"{M} me (?:queda|resulta|viene|va) (?:mejor|más)",
        rf"(?:^|, |solo |sólo )(?:por |vía |al )?{M}(?: mejor)?(?:,)? {_PLEASE}",
        rf"\b{_PLEASE},? (?:\w+ )?(?:solo |sólo )?{_BY} {M}",
        rf"\b(?:usen|usa|use|utilicen|utilice|sigamos|continuemos|pasemos|vamos a|contacten|pásenlo|cambiemos) [^<]{{0,25}}{M}",
        rf"\b(?:a partir de ahora|de ahora en adelante|en adelante|en el futuro|en lo sucesivo|desde ahora)\b[^<]{{0,45}}{X}",
        rf"\b(?:pode|podem|poderia|podemos|dá pra|dá para|puede|pueden|podría|podríamos) (?:ser|falar|hablar|continuar|seguir|conversar)\b[^<]{{0,20}}{M}",
        rf"\b(?:me add|me adiciona|me agreguen|agr[ée]gu?[ea]n?me|adicionem-me|d[ãáêe]e?m? um toque)\b[^<]{{0,10}}{M}",
        rf"^(?:por|vía|al|a mi) {M} (?:es )?mejor",
        rf"{M}[^<]{{0,20}}\b(?:escr[ií]b|respond|respónd|contest|contést|habl|háb|llám)\w* (?:por )?(?:ahí|allí|allá)\b",
        rf"%purpose%[^<]{{0,30}}\b(?:por|vía|via|al|a mi|en mi) {M}",
        rf"\bprefer(?:id[oa]|encial|ente|ência|encia)s?\b(?: [\wçãé]+){{0,2}} (?:é|es|será|seria|sería)(?: o| a| el| la| por)? {M}",
        rf"%purpose%[^<]{{0,20}}{V}",
        rf"%purpose%[^<]{{0,20}}\b(?:av[ií]s\w+|mánd\w+|escr[ií]b\w+)[^<]{{0,10}}{M}",
    ),
    unsure=compiled(rf"{V}", rf"\b(?:me|conmigo|{_PLEASE})\b[^<]{{0,30}}{_BY} {M}", rf"\bmejor\b[^<]{{0,20}}{M}"),
    asks=compiled(
        r"\b(?:pueden?|puedes|podrían?|podríais|podéis|podrías|me|prefiero|posible|sería|sigamos|podemos|favor|porfa|importa\w*)\b|<phone!>"
    )[0],
    labels=compiled(
        r"(?:su |cuál es su )?(?:mejor )?(?:forma|medio|canal|m[ée]todo|preferencia|v[íi]a|tipo|modo)s? ?(?:preferid[oa]|preferente|favorit[oa]|desead[oa])? ?(?:de |del |para |para el )?(?:contacto|respuesta|comunicaci[óo]n|atenci[óo]n|recibir respuesta)?"
        r" ?(?:preferid[oa]|preferente|desead[oa])?|contacto (?:preferid[oa]|preferente|por|vía)|¿?(?:cómo )?prefiere (?:ser contactad[oa]|contacto|que le contactemos)(?: por)?\??|responder por|respuesta por"
    )[0],
    purposes=media(
        (r"\b(?:facturas?|recibos?|cobros?|facturación|boletas?)\b", INVOICE),
        (r"\b(?:entregas?|envíos?|envios?|repartos?|seguimiento)\b", DELIVERY),
        (r"\b(?:citas?|turnos?|reservas?|recordatorios?)\b", APPOINTMENT),
        (r"\burgentes?\b|\burgencias?\b|\bemergencias?\b", URGENT),
        (r"\b(?:promociones|ofertas|novedades|campañas)\b", MARKETING),
    ),
)
