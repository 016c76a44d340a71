# ruff: noqa: E501 (a rule that is cut into lines cannot be compared with its neighbours)
"""How people ask in Portuguese for a channel. Tuned on ``tests/domain/wishes/tuning_*.tsv`` only."""

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

_BY: Final = r"(?:por|pelo|pela|no|na|via|através do|através de|em|ao|para o|pro|num|usando o|com)(?: meu| minha)?"
_ANSWER: Final = (
    r"(?:respond(?:a|am|er|erem|e|ida|idas)(?:-me)?|resposta\w*|contac?t(?:e|em|ar|arem|ad[oa]s?)(?:-me)?|entr(?:e|em|ar|arem) em contac?to|contac?to|escrev(?:a|am|er|erem|e)(?:-me)?|avis(?:a|e|em|ar|arem|ad[oa]|os?)(?:-me)?|fal(?:a|e|em|ar|arem|armos|emos)|cham(?:a|e|em|ar|arem)|inform(?:e|em|ar|ad[oa]|ações|arem)(?:-me)?|comuni(?:quem|que|car|cação|cações|carem)|retorn(?:o|e|em|ar|arem)|notifi(?:quem|que|car|cações|cado|cada)"
    r"|atend\w+|conversar?|continu\w+|mantenham|manter|tratar|trat[ae]m?|receber|mand[ae]m?(?: tudo| a resposta| mensagem| msg)?|envi[ae]m?(?: tudo| a resposta| mensagem| as respostas)?|falarmos|seguir|seguimos)"
)
_ME: Final = r"(?:me|comigo|-me|pra mim|para mim|mim)"
_PLEASE: Final = r"(?:por favor|pf|pfv|pfvr|pff|fazendo favor|faz favor|se possível|obrigad[oa]|agradeço|grat[oa])"

TONGUE: Final = Tongue(
    media=media(
        (
            r"\b(?:(?:um|este|esse|meu|novo|outro|melhor|seu) telefone|telefone (?:azul|preto|branco|novo|que|vermelho|de vocês|da|do|quebrado)|número de telefone|telefone (?:novo|que|da|do|de)|linha|celular|telemóvel)\b",
            "",
        ),
        (
            r"\bwhats ?app?\b|\bwhats\b|\bzap ?zap\b|\bzap\b|\bwpp\b|\bwats(?:app|ap)?\b|\bwhatsup\b|\bwhatsap\b|\bzapp\b",
            "whatsapp",
        ),
        (r"\be[- ]?mails?\b|\bmails?\b|\bcorreio eletr[óo]nico\b|\bcorreio electr[óo]nico\b|\bimeio\b", "email"),
        (r"\bsms\b|\bmensage(?:m|ns) de texto\b|\btorpedos?\b", "sms"),
        (
            r"\bme d[áêeãa](?:em|o)? uma lig(?:ada|adinha|ação)\b|\b(?:me (?:lig(?:a|ue|uem|ar|arem|as|ues)|telefon\w+)|(?:lig(?:a|ue|uem|ar|arem)|telefon(?:e|em|ar))(?:-me| (?:pra|para) mim))\b",
            "phone!",
        ),
        (
            r"\btelefone\b|\btelefonema\b|\bliga(?:ção|cao|ções|coes)\b|\bchamadas? (?:telef[ôo]nicas?|de voz)\b|\bchamadas?\b|\bfone\b|\btelef[ôo]nic[oa]s?\b",
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
        rf"\b(?:não|nao|nunca|nada de|sem|em vez de|ao invés de|ao invés do|do que|parem de|pare de|nem|raramente|detesto|odeio|evitem)(?: \w+(?:-me)?){{0,2}}?(?: (?:por|pelo|pela|o|a|no|na|via|meu|minha|de|do|da|com))?\s+{ANY}(?= |,|$|\.|;|:)(?<!que <phone!>)",
        rf"\bque (?:por |pelo |pela |o |a |no |na |via |de )?{ANY}(?<!que <phone!>)",
        r"\bquase (?:não|nao|nunca) [^<,.]{0,20}<\w+>",
    ),
    erased=compiled(
        rf"\b(?:mandei|enviei|recebi|escrevi|liguei|falei|comprei|pedi|fiz|mandaram|enviaram|responderam|respondeu|disseram|veio|chegou|vi|li|mando|ligo|envio|mandarei|enviarei|vou(?! preferir)|vieram|obrigad[oa] pel[oa]|obrigad[oa] por|não recebi|funciona|recebeu|trocar|mudar|alterar|atualiz\w+|entrar com|cadastro|combinamos|avisaram)(?: [\wçãõáéíóúâêô]+){{0,5}}? {ANY}",
        rf"\b(?:posso|podia|poderia eu|devo|consigo|d[áa] para (?!ser|me)|d[áa] pra (?!ser|me)|como|qual|quais|onde|quando|vocês|vcs|voces|há|existe|tem|têm|vou receber|preferem)\b(?! (?:me|responder|podem|poderiam|pode)\b)[^<?]{{0,40}}?{ANY}[^<]*\?",
        rf"\b(?:meu|minha|seu|sua|o|a|um|uma|este|esse|estes|dos|do|da|os|as|teu)s? {ANY}(?: de| da| do| é(?! mais| melhor| o | a melhor)| que|:| não| parou| está| foi)",
        rf"\b(?:mand\w+|envi\w+|receber|passa\w*)(?:-me)?(?: (?:me|logo|então))* (?:o|a|os|as|um|uma|isso|esse|essa|meu|minha|segunda)\b(?! (?:<|resposta|respostas|informaç|notícias|faturas|notas|avisos|boletos|atualizaç|lembretes|nota fiscal sempre|contas|comunicaç))[^<]{{0,40}}{ANY}",
        rf"\b(?:código|comprovante|foto|fotos|link|etiqueta|segunda via|orçamento|recibo do|nota do|arquivo)\b[^<]{{0,25}}{ANY}",
        rf"\b(?:comprar|saber|pagar|alterar|mudar|cambiar|suporte|soporte)\b[^<]{{0,30}}{ANY}",
        rf"^{ANY}\s*:",
        rf"\b(?:não|nao|nunca) (?:quero|precisa|precisam|preciso|gosto|é preciso|é necessário|gostaria|vale a pena)(?: que| de)? {ANY}",
        r"\b(?:se|quando|esperei|obrigad[oa] por|depois de|espero|esperando)(?: vocês| que)? <phone!>",
        rf"(?<!me )\b(?:falam|respondem|atendem|mandam|avisam|ligam|atende|responde|escrevo|respondo)\b(?! (?:por favor|me))[^<]{{0,20}}{ANY}",
        rf"{ANY} (?:de confirmação|de vocês|da loja|estranho|de cadastro|marketing)",
    ),
    vetoes=compiled(
        r"\b(?:entregador|motorista|motoboy|carteiro|técnico|porteiro|vizinh[oa]|marido|esposa|mulher|mãe|mae|pai|filh[oa]|irmã|irmão|colega|chefe|amig[oa]|ele|ela|eles|elas|dele|dela|alguém|ninguém|moça|moço|atendente|gerente|supervisor|financeiro|contador|sogr[oa]|namorad[oa])\b",
        r"\btanto faz\b|\bqualquer\b|\bcomo preferir\w*\b|\bcomo quiser\w*\b|\bo que for\b|\bindiferente\b|\bcomo for melhor\b|\bos dois\b",
        r"\bantes\b|\bano passado\b|\bdisse(?:ram)?\b|\bprometeram\b|\bpediram\b|\bfalou que\b|\bfosse\b|\btivessem\b|\bdeveriam ter\b|\bpreferia\b(?! que)|\bpedi\b|\biam\b|\bfalaram\b|\bseria sexta\b",
        r"^(?:qual|como|quando|onde|por que|porque|quem)\b|\bdescadastr\w+|\bsair da lista\b|\bcancelar? (?:a )?inscri|\bpreferem\b|\bquando vão\b|\bpor que\b",
    ),
    sure=compiled(
        rf"{V}(?! (?:quando (?!pud)|assim que|se|na|no|antes|depois)\b)(?=.{{0,60}}$)",
        rf"\b(?:prefiro|preferia|preferimos|preferência|prefer[ií]vel|preferencialmente|de preferência|gostaria|queria|quero|desejo|melhor|mais fácil|mais facil|mais prático|agradeço|agradecia|agradeceria|só|somente|apenas|exclusivamente|sempre)\b"
        rf"(?! (?:entrar|saber|trocar|mudar|cancelar|alterar))[^<]{{0,45}}(?:{_BY} |uma? |o |a |que )?{X}",
        rf"\b(?:cham(?:a|e|em|ar)|fal(?:a|e|em|ar)|mand(?:a|e|em|ar)|respond(?:a|am|er|e)|escrev(?:a|am|er|e)|avis(?:a|e|em|ar)|contac?t(?:e|em|ar)|envi(?:a|e|em|ar))(?:-me| me| comigo| aqui)?\s+{_BY}\s+{M}",
        rf"\bme (?:cham(?:a|e|em|ar|arem)|mand(?:a|e|em|ar|arem)|respond(?:a|am|er|erem|e)|escrev(?:a|am|er|erem|e)|avis(?:a|e|em|ar|arem)|contac?t(?:e|em|ar|arem)|envi(?:a|e|em|ar|arem)|d[ãê]o? (?:um )?retorno|retorn(?:a|e|em|ar)|procur(?:a|e|em|ar)|adicion(?:a|e|em|ar))(?: [\wçãõáéíóú]+){{0,3}}? (?:{_BY}|um|uma) {M}",
        rf"\b{_ANSWER}(?:[^<]{{0,30}}) {_BY} {M}",
        rf"\b(?:mand(?:a|e|em|ar)|envi(?:a|e|em|ar))(?:-me| me)? (?:um |uma |só )?{M}(?! (?:para|pro|pra|ao?|à) (?!mim|meu|o meu|esse|este))",
        rf"\bme (?:mand\w*|envi\w*|pass\w*) (?:um |uma )?{M}",
        rf"{M} (?:é|fica|seria|funciona)(?: \w+)? (?:melhor|mais|ótimo|preferível|o ideal|o melhor|perfeito)",
        rf"{M} é (?:mais|o)",
        rf"(?:^|, |só |apenas )(?:por |pelo |via |no )?{M}(?:,)? {_PLEASE}",
        rf"\b{_PLEASE},? (?:\w+ )?(?:só |apenas )?{_BY} {M}",
        rf"\b(?:us[ea]m?|utilizem|vamos|continu\w+|passar|mudar) [^<]{{0,20}}{M}",
        rf"\b(?:a partir de agora|daqui pra frente|daqui para a frente|de agora em diante|doravante|futuramente)\b[^<]{{0,45}}{X}",
        rf"\b(?:pode|podem|poderia|podemos|dá pra|dá para|puede|pueden|podría|podríamos) (?:ser|falar|hablar|continuar|seguir|conversar)\b[^<]{{0,20}}{M}",
        rf"\b(?:me add|me adiciona|me agreguen|agr[ée]gu?[ea]n?me|adicionem-me|d[ãáêe]e?m? um toque)\b[^<]{{0,10}}{M}",
        rf"^(?:por|pelo|no|via) {M} (?:é |fica )?melhor",
        rf"{M}[^<]{{0,20}}\b(?:me cham|cham|fal|escrev|respond|mand)\w* (?:por )?(?:lá|ali)\b",
        rf"%purpose%[^<]{{0,30}}\b(?:por|pelo|via|no|ao|para o meu|para o|pro) {M}",
        rf"\bprefer(?:id[oa]|encial|ente|ência|encia)s?\b(?: [\wçãé]+){{0,2}} (?:é|es|será|seria|sería)(?: o| a| el| la| por)? {M}",
        rf"%purpose%[^<]{{0,20}}{V}",
    ),
    unsure=compiled(rf"{V}", rf"\b(?:me|comigo|{_PLEASE})\b[^<]{{0,30}}{_BY} {M}", rf"\bmelhor\b[^<]{{0,20}}{M}"),
    asks=compiled(
        r"\b(?:pode|podem|podes|poderia|poderiam|podiam|podia|me|prefiro|possível|consegue|conseguem|que tal|vamos|podemos|dá|favor|importa\w*)\b|<phone!>"
    )[0],
    labels=compiled(
        r"(?:sua |qual (?:a |o )?)?(?:melhor )?(?:forma|meio|canal|m[ée]todo|prefer[êe]ncia|via|tipo|modo)s? ?(?:preferid[oa]|preferencial|favorit[oa]|desejad[oa])? ?(?:de |do |para |para o )?(?:contac?to|resposta|retorno|comunicação|atendimento|receber resposta)?"
        r" ?(?:preferid[oa]|preferencial|desejad[oa])?|contac?to (?:preferid[oa]|preferencial|por|via|preferível)|(?:como )?prefere (?:ser contac?tad[oa]|contac?to|receber resposta)(?: por)?|responder por|retorno por"
    )[0],
    purposes=media(
        (r"\b(?:faturas?|facturas?|notas? fisca(?:l|is)|boletos?|contas|recibos|cobranças?)\b", INVOICE),
        (r"\b(?:entregas?|envios?|rastreios?|rastreamento|encomendas?)\b", DELIVERY),
        (r"\b(?:consultas?|marcaç(?:ão|ões)|agendamentos?|lembretes?|reservas?|horário marcado)\b", APPOINTMENT),
        (r"\burgentes?\b|\burgências?\b|\bemergências?\b", URGENT),
        (r"\b(?:promoç(?:ão|ões)|ofertas|novidades|campanhas)\b", MARKETING),
    ),
)
