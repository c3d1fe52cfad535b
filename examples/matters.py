"""诉求样本 What people of a county call about: matters by type, with how often they come.

Topics are those of config/ziyang/codes.yaml. ``{place}`` becomes a place in the area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Matter(NamedTuple):
    """One kind of demand: topic, relative weight, title, content, flags."""

    topic: str
    weight: float
    title: str
    content: str
    flags: tuple[str, ...] = ()


# DOMAIN.md 2.1: Ziyang county, September 2022 (n = 521), shares in percent.
TYPE_MIX: Mapping[str, float] = {
    "help": 77.74,
    "complaint": 14.78,
    "suggestion": 3.84,
    "report": 3.26,
    "consultation": 0.38,
}

HELP = (
    Matter("sanitation.refuse", 9, "垃圾无人清运", "{place}垃圾桶满溢多日，异味很大。"),
    Matter("lighting.street", 8, "路灯不亮", "{place}一排路灯半个月不亮，夜里出行不便。"),
    Matter("rural.habitat", 7, "污水横流", "{place}院落前污水沟没有盖板，夏天味道大。"),
    Matter("road.damage", 6, "路面破损", "{place}路面坑洼积水，车辆难行，盼尽快修补。"),
    Matter("labour.wages", 5, "拖欠工资", "{place}餐馆歇业，三个服务员的工资没有结清。"),
    Matter("telecom.signal", 4, "手机信号差", "{place}中国移动一直没有信号，打电话要爬到山梁上。"),
    Matter("power.outage", 4, "停电", "{place}从早上停电到现在，冰柜里的东西要坏了。"),
    Matter("water.supply", 3, "停水", "{place}停水两天，没有接到通知，生活不便。"),
    Matter("road.rural", 3, "通村公路损毁", "{place}通村公路路基下沉，货车不敢走，请维修。"),
    Matter("rural.affairs", 3, "村务不公开", "{place}修路占地补偿没有公示，请公开。"),
    Matter("household.register", 3, "户口迁移", "{place}结婚后户口迁移材料被退回，请指导。"),
    Matter("civil.elderly", 3, "高龄补贴", "{place}老人八十岁了，高龄补贴怎么领？"),
    Matter("medical.hospital", 3, "看病排队久", "{place}卫生院只有一个医生，老人等了半天。"),
    Matter("civil.allowance", 3, "申请低保", "{place}老人常年患病无劳力，想申请低保。"),
    Matter("social.pension", 3, "养老金未到账", "{place}老人本月养老金没有到账，请核查。"),
    Matter("medical.insurance", 3, "医保报销慢", "{place}住院费用报销资料交了两个月没有结果。"),
    Matter("billing.power", 3, "电费突然变高", "{place}上月电费比往常多两倍，请核查电表。"),
    Matter("telecom.broadband", 3, "宽带故障", "{place}电信宽带断网一周，报修无人上门。"),
    Matter("billing.water", 2, "水表不准", "{place}家里没人住，水表还在走字。"),
    Matter("housing.title", 2, "不动产证办不下来", "{place}小区交房五年，房产证一直办不了。"),
    Matter("land.homestead", 2, "宅基地审批", "{place}旧房成危旧户，申请建房半年没有答复。"),
    Matter("farming.subsidy", 2, "耕地补贴未发", "{place}去年耕地地力补贴没有发到卡上。"),
    Matter("labour.jobs", 2, "就近务工", "{place}返乡后想在社区工厂上班，请介绍。"),
    Matter("veterans.benefit", 2, "优抚金", "{place}退役军人优抚金标准没有调整，请核实。"),
    Matter("traffic.licence", 2, "驾驶证换证", "{place}老人不会网上换证，能否上门办理？"),
    Matter("service.hall", 2, "证明怎么开", "{place}办继承公证要的证明不知道谁来开。"),
    Matter("legal.aid", 2, "申请法律援助", "{place}家境困难，想请法律援助律师。"),
    Matter("water.pipe", 1, "水管漏水", "{place}供水管道漏水，流了一路。"),
    Matter("sanitation.sewage", 1, "污水管堵塞", "{place}下水道堵塞，污水漫到路面。"),
    Matter("legal.mediation", 1, "邻里纠纷", "{place}两家为滴水界址争执多年，请组织调解。"),
    Matter("farming.tea", 1, "春茶销路", "{place}茶农反映鲜叶收购点少，请增设。"),
    Matter("education.enrolment", 1, "转学手续", "{place}孩子随父母返乡，想转回镇上小学。"),
    Matter("gas.supply", 1, "天然气停供", "{place}天然气停了一天，做不了饭。"),
    Matter("gas.leak", 0.4, "闻到燃气味", "{place}楼道里有很浓的燃气味，请马上来看。"),
    Matter("land.hazard", 0.5, "屋后滑坡隐患", "{place}屋后山体有裂缝，下雨天不敢睡。"),
    Matter(
        "enterprise.opening",
        0.6,
        "办食品厂",
        "{place}想办魔芋加工厂，请一次告知。",
        ("enterprise",),
    ),
)
COMPLAINT = (
    Matter("housing.property", 3, "物业乱收费", "{place}物业不公示账目，多收公摊费。"),
    Matter("noise.living", 3, "夜间噪声扰民", "{place}夜宵摊营业到凌晨两点，吵得没法睡。"),
    Matter("noise.construction", 2, "夜间施工", "{place}工地夜里十一点还在打混凝土。"),
    Matter("consumer.refund", 4, "预付卡不退", "{place}健身房关门，办的卡退不了钱。"),
    Matter("environment.fumes", 1, "油烟扰民", "{place}楼下餐馆油烟直排，家里不敢开窗。"),
    Matter("price.overcharge", 2, "药店乱加价", "{place}同一种药两家店差一倍，没有标价。"),
    Matter("conduct.attitude", 3, "窗口态度差", "{place}办事窗口工作人员态度生硬，推来推去。"),
    Matter("city.parking", 1, "停车难", "{place}路边车位被长期占用，没有人管。"),
    Matter("post.courier", 2, "快递不进村", "{place}快递只送到镇上，取件还要加钱。"),
    Matter("tourism.ticket", 2, "景区门票不退", "{place}景区临时关闭，门票不给退。", ("tourism",)),
    Matter("animal.dog", 0.5, "犬只扰民", "{place}有人遛狗不牵绳，吓着孩子。"),
    Matter("transport.taxi", 3, "出租车拒载", "{place}出租车不打表，议价拒载。"),
    Matter("service.hall", 4, "反复跑腿", "{place}为一个证明跑了四趟，材料说法不一。"),
    Matter("telecom.fee", 3, "套餐乱扣费", "{place}中国联通套餐莫名多了两项收费，退订不了。"),
    Matter("tourism.lodging", 1, "民宿坐地起价", "{place}民宿到店加价，不加不给住。", ("tourism",)),
    Matter("education.fee", 1, "课后服务收费", "{place}课后服务收费没有公示。"),
    Matter(
        "enterprise.environment", 1, "重复检查", "{place}一月三次检查同一事项。", ("enterprise",)
    ),
)
SUGGESTION = (
    Matter("traffic.signal", 4, "增设信号灯", "{place}路口上学时车多，建议增设信号灯。"),
    Matter("city.greening", 2, "补种行道树", "{place}行道树死了几棵，建议补种。"),
    Matter("transport.bus", 1, "延长末班车", "{place}建议夏季延长末班车时间。"),
    Matter("road.highway", 1, "加装护栏", "{place}国道弯急坡陡，建议加装护栏。"),
    Matter("other.suggestion", 1, "多办文化活动", "{place}建议多组织群众文化活动。"),
)
REPORT = (
    Matter("building.illegal", 4, "违法搭建", "{place}有人在楼顶违法加盖。"),
    Matter("conduct.banquet", 3, "办无事酒", "{place}有人违反村规民约办无事酒收礼。"),
    Matter("security.gambling", 2, "聚众赌博", "{place}茶馆后屋有人聚众赌博。"),
    Matter("food.safety", 2, "过期食品", "{place}小超市卖过期食品。"),
    Matter("river.sand", 1, "夜里采砂", "{place}夜里有人在河道采砂。"),
    Matter("forest.logging", 1, "砍伐林木", "{place}有人无证砍伐林木。"),
    Matter("tobacco.retail", 1, "无证卖烟", "{place}小卖部无证卖烟。"),
)
CONSULTATION = (
    Matter("social.pension", 1, "养老金怎么补缴", "想知道养老保险断缴后怎么补缴。"),
    Matter("enterprise.permit", 1, "食品经营许可", "开小餐馆要办哪些许可？", ("enterprise",)),
)

MATTERS: Mapping[str, Sequence[Matter]] = {
    "help": HELP,
    "complaint": COMPLAINT,
    "suggestion": SUGGESTION,
    "report": REPORT,
    "consultation": CONSULTATION,
}

# 镇 areas: the town that answers for each, and its share of the calls; the county town makes most.
AREAS: Mapping[str, tuple[str, int]] = {
    "610924100": ("CG", 30),
    "610924101": ("HP", 9),
    "610924102": ("HW", 4),
    "610924103": ("HG", 4),
    "610924104": ("XY", 5),
    "610924105": ("DH", 5),
    "610924106": ("HS", 4),
    "610924108": ("SQ", 3),
    "610924109": ("GQ", 4),
    "610924110": ("HC", 5),
    "610924111": ("GT", 5),
    "610924112": ("MB", 5),
    "610924113": ("WM", 3),
    "610924114": ("ML", 4),
    "610924115": ("SA", 4),
    "610924116": ("DM", 3),
    "610924117": ("JL", 2),
}
PLACES = (
    "一组",
    "二组",
    "三组",
    "老街",
    "新街口",
    "桥头",
    "学校旁",
    "河堤边",
    "安置小区",
    "村委会旁",
)
CHANNELS: Mapping[str, int] = {"phone": 70, "wechat": 14, "city": 10, "app": 4, "web": 2}
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "建国",
    "秀英",
    "志强",
    "桂兰",
    "小红",
    "永强",
    "玉梅",
    "家兴",
    "春燕",
    "大明",
    "文静",
    "石头",
)
